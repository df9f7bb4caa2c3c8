// What an experiment would do, in words.
#pragma once

#include <string>

#include "experiment/resolved_rows.h"
#include "experiment/result_cache.h"

namespace avbench::experiment {

// Rows, stages to run, steps; with `probe` also time and disk, from a few training steps of each
// distinct row, in memory.
std::string describe_plan(const ResolvedRows& rows, const ResultCache& result_cache,
                          const RunOptions& options, bool probe);

}  // namespace avbench::experiment
