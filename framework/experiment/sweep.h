// Equal tuning effort: the same number of trials for every method, over its own grid, chosen on
// validation data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "io/fields.h"

namespace avbench::experiment {

// A point of a row's grid: "params.temperature=0.1", ...
using Trial = std::vector<std::string>;

// Points of the grid of row.sweep.
int64_t grid_size(const config::RowConfig& row);

// `count` different points of the row's grid, drawn by `seed` and the row's name. Throws UserError
// if the row has no grid, a grid of fewer points, or a key that is not the row's own: params.*,
// pretrain.*, and what `varies` covers of protocol.*.
std::vector<Trial> draw_trials(const config::RowConfig& row, const std::vector<std::string>& varies,
                               int64_t count, uint64_t seed);

struct SweptTrial {
  Trial settings;
  std::optional<double> validation;  // accuracy; none: it failed
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<SweptTrial> auto& t) {
  v("settings", t.settings);
  v("validation", t.validation);
}

// What the trials of one row came to.
struct SweptRow {
  std::string row;
  std::vector<SweptTrial> trials;
  uint64_t chosen = 0;             // of the trials
  std::vector<std::string> edges;  // what of the chosen is the smallest or largest value tried
  std::vector<uint64_t> ties;      // other trials that are as good

  // The highest; of equals the first. Throws std::runtime_error if all failed.
  void choose();
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<SweptRow> auto& r) {
  v("row", r.row);
  v("trials", r.trials);
  v("chosen", r.chosen);
  v("edges", r.edges);
  v("ties", r.ties);
}

// sweep.json.
struct Sweep {
  int64_t trials = 0;  // of each row
  std::vector<SweptRow> rows;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<Sweep> auto& s) {
  v("trials", s.trials);
  v("rows", s.rows);
}

// sweep.json in the experiment's folder.
void write_sweep(const std::filesystem::path& folder, const Sweep& sweep);

// Trials of each row that was swept, by its name; none without a sweep.json.
std::map<std::string, int64_t> swept_trials(const std::filesystem::path& folder);

}  // namespace avbench::experiment
