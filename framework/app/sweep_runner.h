// compare --sweep: trials first, then the chosen settings.
#pragma once

#include "app/experiment_options.h"

namespace avbench {

// Pretrains and finetunes `trials` points of the grid of every row with a method, with the first
// seed and without touching the test split, each under results/<experiment>.trial-<n>/. Adds the
// settings of the best validation accuracy to options.sets, and writes
// results/<experiment>/sweep.json. A trial that fails is reported and counts as tried.
void run_sweep(ExperimentOptions& options, int64_t trials);

}  // namespace avbench
