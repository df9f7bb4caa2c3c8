// compare --sweep: trials first, then the chosen settings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/open_experiment.h"
#include "experiment/sweep.h"

namespace avbench::experiment {

class ExperimentSweep {
 public:
  // Draws `trials` points of the grid of every row that has one, for the first seed. Throws
  // UserError where a grid is missing or too small.
  ExperimentSweep(const ExperimentRequest& request, int64_t trials);

  // The points of each row.
  std::string describe() const;

  // Pretrains and finetunes each point without touching the test split, each trial under
  // results/<experiment>.trial-<n>/. Adds the settings of the best validation accuracy to
  // request.sets, and writes results/<experiment>/sweep.json. A trial that fails is reported and
  // counts as tried.
  void run(ExperimentRequest& request);

 private:
  void run_trial(const ExperimentRequest& request, int64_t trial);

  int64_t trials_, seed_ = 0;
  std::string name_;  // of the experiment
  std::filesystem::path folder_;
  std::vector<SweptRow> rows_;
  // Of each row in the configuration, followed by those of its written controls that have no grid:
  // they take what is chosen for it. Controls that `controls` adds copy their row.
  std::vector<std::vector<size_t>> positions_;
};

}  // namespace avbench::experiment
