// The table of an experiment, from what has finished so far.
#pragma once

#include "experiment/experiment_run.h"
#include "report/table.h"

namespace avbench::experiment {

// Writes the table of the test, or, without `tested`, that of the validation of what is finetuned,
// into the experiment's folder.
report::WrittenTable write_results_table(const ExperimentRun& run, bool tested);

}  // namespace avbench::experiment
