#include "data/label_subset.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/philox_stream.h"

namespace avbench::data {

std::vector<int64_t> label_subset(const std::vector<int64_t>& labels, double fraction,
                                  uint64_t seed) {
  std::map<int64_t, std::vector<int64_t>> by_class;
  for (size_t i = 0; i < labels.size(); ++i) by_class[labels[i]].push_back(i);
  std::vector<int64_t> chosen;
  for (const auto& [label, members] : by_class) {
    const auto n = static_cast<int64_t>(members.size());
    const int64_t kept = std::clamp<int64_t>(std::llround(fraction * static_cast<double>(n)), 1, n);
    // The first `kept` of a fixed random order: nested.
    for (int64_t i = 0; i < kept; ++i) {
      chosen.push_back(members[runtime::permute(i, n, seed, label, "label_subset")]);
    }
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace avbench::data
