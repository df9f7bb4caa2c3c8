// compare --sweep: trials first, then the chosen settings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/experiment_options.h"
#include "protocol/sweep.h"

namespace avbench {

class ExperimentSweep {
 public:
  // Draws `trials` points of the grid of every row that has one, for the first seed. Throws
  // UserError where a grid is missing or too small.
  ExperimentSweep(const ExperimentOptions& options, int64_t trials);

  // The points of each row.
  std::string describe() const;

  // Pretrains and finetunes each point without touching the test split, each trial under
  // results/<experiment>.trial-<n>/. Adds the settings of the best validation accuracy to
  // options.sets, and writes results/<experiment>/sweep.json. A trial that fails is reported and
  // counts as tried.
  void run(ExperimentOptions& options);

 private:
  void run_trial(const ExperimentOptions& options, int64_t trial);

  int64_t trials_, seed_ = 0;
  std::string name_;  // of the experiment
  std::filesystem::path folder_;
  std::vector<SweptRow> rows_;
  std::vector<size_t> positions_;  // of the rows in the configuration
};

}  // namespace avbench
