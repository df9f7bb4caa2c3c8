#include "io/suggest.h"

#include <algorithm>
#include <cctype>

namespace avbench::io {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Optimal string alignment distance: no letter takes part in two edits.
size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(const std::string& got, const std::vector<std::string>& known) {
  constexpr size_t kLongest = 100;  // nobody mistypes a longer name; bounds the table of edits
  if (got.empty() || got.size() > kLongest) return "";
  const std::string wanted = lower(got);
  const std::string* best = nullptr;
  size_t fewest = got.size();
  for (const std::string& name : known) {
    if (name.size() > kLongest) continue;
    const size_t count = edits(wanted, lower(name));
    const size_t limit = std::max<size_t>(1, std::max(got.size(), name.size()) / 3);
    if (count <= limit && count < fewest) {
      fewest = count;
      best = &name;
    }
  }
  if (best == nullptr && got.size() >= 3) {
    const auto begun = std::find_if(known.begin(), known.end(), [&](const std::string& name) {
      return lower(name).starts_with(wanted);
    });
    if (begun != known.end()) best = &*begun;
  }
  return best == nullptr ? "" : *best;
}

std::string did_you_mean(const std::string& got, const std::vector<std::string>& known) {
  const std::string name = nearest(got, known);
  return name.empty() ? "" : " (did you mean '" + name + "'?)";
}

}  // namespace avbench::io
