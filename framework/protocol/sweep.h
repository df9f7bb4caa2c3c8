// Equal tuning effort: the same number of trials for every method, over its own grid, chosen on
// validation data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "io/json.h"

namespace avbench {

// A point of a row's grid: "params.temperature=0.1", ...
using Trial = std::vector<std::string>;

// Points of the grid of row.sweep.
int64_t grid_size(const RowConfig& row);

// `count` different points of the row's grid, drawn by `seed` and the row's name. Throws UserError
// if the row has no grid, a grid of fewer points, or a key that is not the row's own.
std::vector<Trial> draw_trials(const RowConfig& row, int64_t count, uint64_t seed);

// What the trials of one row came to.
struct SweptRow {
  std::string row;
  std::vector<Trial> trials;
  std::vector<double> validation;  // accuracy, by trial; a failed one has -1

  size_t best() const;  // the highest; of equals the first. Throws std::runtime_error if all failed
};

// [{"row", "trials": [{"settings", "validation"}], "chosen"}]
Json sweep_json(const std::vector<SweptRow>& rows);

}  // namespace avbench
