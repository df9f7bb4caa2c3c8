#include "protocol/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "data/random.h"
#include "io/error.h"
#include "io/suggest.h"

namespace avbench {
namespace {

std::vector<std::string> values_of(const Setting& setting) { return split(setting.text, ','); }

void require_own_key(const RowConfig& row, const Setting& setting) {
  if (setting.name.starts_with("params.") || setting.name.starts_with("pretrain.")) return;
  throw UserError(
      fmt::format("{}: row '{}': sweep: got the key '{}', expected params.<name> or "
                  "pretrain.<key>: the rest is "
                  "the protocol, which all rows share",
                  setting.where, row.name, setting.name));
}

}  // namespace

int64_t grid_size(const RowConfig& row) {
  int64_t size = row.sweep.empty() ? 0 : 1;
  for (const Setting& setting : row.sweep) size *= static_cast<int64_t>(values_of(setting).size());
  return size;
}

std::vector<Trial> draw_trials(const RowConfig& row, int64_t count, uint64_t seed) {
  for (const Setting& setting : row.sweep) require_own_key(row, setting);
  const int64_t size = grid_size(row);
  if (size < count) {
    throw UserError(
        fmt::format("row '{}': its `sweep` has {} points, expected at least {}, the number of "
                    "trials that every "
                    "method gets; give it more values, or all methods fewer trials",
                    row.name, size, count));
  }
  std::vector<Trial> trials;
  for (int64_t i = 0; i < count; ++i) {
    int64_t point = permute(i, size, seed, 0, "sweep/" + row.name);
    Trial trial;
    for (const Setting& setting : row.sweep) {
      const auto values = values_of(setting);
      trial.push_back(setting.name + "=" + values[point % values.size()]);
      point /= static_cast<int64_t>(values.size());
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

void SweptRow::choose() {
  const auto best = std::max_element(
      trials.begin(), trials.end(),
      [](const SweptTrial& a, const SweptTrial& b) { return a.validation < b.validation; });
  if (best == trials.end() || !best->validation) {
    throw std::runtime_error("row '" + row + "': every trial of the sweep failed");
  }
  chosen = best - trials.begin();
}

}  // namespace avbench
