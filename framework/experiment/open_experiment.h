// From what a user names to an experiment that can run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/experiment_run.h"

namespace avbench::experiment {

struct ExperimentRequest {
  std::string target;  // a configuration file, or the folder of a run
  std::vector<std::filesystem::path> overlays;
  std::vector<std::string> sets;  // "protocol.pretrain.epochs=3"
  std::string init;               // weights to start from; empty: as configured
  RunOptions run;
};

// Reads the configuration (of a run's folder: its own, with its row and seed, which become those of
// the request), sets the number of threads, and opens data and plugins. `tested`: whether the test
// split is needed.
ExperimentRun open_experiment(ExperimentRequest& request, bool tested);

}  // namespace avbench::experiment
