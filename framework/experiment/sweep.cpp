#include "experiment/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>

#include "config/varies.h"
#include "io/error.h"
#include "io/json_fields.h"
#include "io/strings.h"
#include "runtime/philox_stream.h"

namespace avbench::experiment {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSweepFile = "sweep.json";

std::vector<std::string> values_of(const config::Setting& setting) {
  return io::split(setting.text, ',');
}

void require_own_key(const config::RowConfig& row, const std::vector<std::string>& varies,
                     const config::Setting& setting) {
  if (setting.name.starts_with("params.") || setting.name.starts_with("pretrain.")) return;
  if (setting.name.starts_with("protocol.") && config::covers(varies, setting.name)) return;
  throw io::UserError(
      fmt::format("{}: row '{}': sweep: got the key '{}', expected params.<name>, pretrain.<key>, "
                  "or a key of the protocol that `varies` names: the rest all rows share",
                  setting.where, row.name, setting.name));
}

// Nothing unless the whole text is a number.
std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "pretrain.optimizer.lr=0.05, the largest of 3", for each key whose best value lies on an edge of
// what was tried: the best of all may lie beyond.
std::vector<std::string> edges_of(const std::vector<SweptTrial>& trials, size_t chosen) {
  std::vector<std::string> edges;
  const Trial& best = trials[chosen].settings;
  for (size_t key = 0; key < best.size(); ++key) {
    const auto value_in = [key](const Trial& trial) {
      return number_in(trial[key].substr(trial[key].find('=') + 1));
    };
    std::set<double> tried;
    for (const SweptTrial& trial : trials) {
      if (const auto value = value_in(trial.settings)) tried.insert(*value);
    }
    const auto value = value_in(best);
    if (!value || tried.size() < 2) continue;
    if (*value == *tried.begin()) {
      edges.push_back(fmt::format("{}, the smallest of {}", best[key], tried.size()));
    } else if (*value == *tried.rbegin()) {
      edges.push_back(fmt::format("{}, the largest of {}", best[key], tried.size()));
    }
  }
  return edges;
}

}  // namespace

int64_t grid_size(const config::RowConfig& row) {
  int64_t size = row.sweep.empty() ? 0 : 1;
  for (const config::Setting& setting : row.sweep)
    size *= static_cast<int64_t>(values_of(setting).size());
  return size;
}

std::vector<Trial> draw_trials(const config::RowConfig& row, const std::vector<std::string>& varies,
                               int64_t count, uint64_t seed) {
  for (const config::Setting& setting : row.sweep) require_own_key(row, varies, setting);
  const int64_t size = grid_size(row);
  if (size < count) {
    throw io::UserError(
        fmt::format("row '{}': its `sweep` has {} points, expected at least {}, the number of "
                    "trials that every method gets; give it {}, or all methods fewer trials",
                    row.name, size, count,
                    size > 0 ? "more values"
                             : "one, such as `sweep: {pretrain.optimizer.lr: [0.01, 0.03, 0.1]}`"));
  }
  std::vector<Trial> trials;
  for (int64_t i = 0; i < count; ++i) {
    int64_t point = runtime::permute(i, size, seed, 0, "sweep/" + row.name);
    Trial trial;
    for (const config::Setting& setting : row.sweep) {
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
  edges = edges_of(trials, chosen);
  ties.clear();
  for (size_t i = 0; i < trials.size(); ++i) {
    if (i != chosen && trials[i].validation == best->validation) ties.push_back(i);
  }
}

void write_sweep(const fs::path& folder, const Sweep& sweep) {
  fs::create_directories(folder);
  io::write_json(folder / kSweepFile, io::write_fields(sweep));
}

std::map<std::string, int64_t> swept_trials(const fs::path& folder) {
  std::map<std::string, int64_t> trials;
  const fs::path file = folder / kSweepFile;
  if (!fs::exists(file)) return trials;
  const auto sweep = io::read_fields<Sweep>(io::read_json(file), file.string());
  for (const SweptRow& row : sweep.rows) trials[row.row] = sweep.trials;
  return trials;
}

}  // namespace avbench::experiment
