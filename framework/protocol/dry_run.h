// What an experiment would do, in words.
#pragma once

#include <string>

#include "protocol/experiment_rows.h"
#include "protocol/finished_runs.h"

namespace avbench {

// Rows, stages to run, steps; with `probe` also time and disk, from a few training steps of each
// distinct row, in memory.
std::string describe_plan(const ExperimentRows& rows, const FinishedRuns& finished_runs,
                          const RunOptions& options, bool probe);

}  // namespace avbench
