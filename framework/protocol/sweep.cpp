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

size_t SweptRow::best() const {
  const auto best = std::max_element(validation.begin(), validation.end());
  if (*best < 0) throw std::runtime_error("row '" + row + "': every trial of the sweep failed");
  return best - validation.begin();
}

Json sweep_json(const std::vector<SweptRow>& rows) {
  Json json = Json::array();
  for (const SweptRow& row : rows) {
    Json trials = Json::array();
    for (size_t i = 0; i < row.trials.size(); ++i) {
      trials.push_back({{"settings", row.trials[i]},
                        {"validation", row.validation[i] < 0 ? Json() : Json(row.validation[i])}});
    }
    json.push_back({{"row", row.row}, {"trials", trials}, {"chosen", row.best()}});
  }
  return json;
}

}  // namespace avbench
