// Runs an experiment: every row with every seed through the stages, each finished part once.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/manifest.h"
#include "plugin/registry.h"
#include "protocol/planned_run.h"
#include "report/run_summary.h"
#include "train/checkpoint.h"

namespace avbench {

// See extract_features().
struct SplitFeatures {
  StateDict tensors;
  std::vector<std::string> ids;  // of the rows
  std::vector<std::string> classes;
};

class ExperimentRun {
 public:
  // Opens the data (decoding it once) and checks every row against its plugin. `tested`: whether
  // the test split is needed. Throws UserError if anything of the configuration cannot work, before
  // any training.
  ExperimentRun(Experiment experiment, const PluginRegistry& plugins, bool tested);
  ~ExperimentRun();

  std::vector<PlannedRun> plan(const RunOptions& options) const;

  // Carries out the plan; calls `row_done` after each run, so that a table can grow. A run that
  // fails does not keep the others from running: the messages of those that did are returned.
  // Throws UserError if a folder holds a run of another configuration, or a stage lacks the one
  // before it.
  std::vector<std::string> run(const RunOptions& options,
                               const std::function<void(const PlannedRun&)>& row_done);

  // What a table is made from: of the finished run, or, without looking at its test, of its
  // finetuning. Nothing if the run has not come that far.
  std::optional<RunSummary> summary(const PlannedRun& run, bool tested) const;

  // Of one run, with the checkpoint that is tested, or with the weights that finetuning starts
  // from. Throws UserError if the run has not come that far, or the split is empty.
  SplitFeatures features(const PlannedRun& run, Split split, bool finetuned) const;

  const Experiment& experiment() const;
  std::filesystem::path folder() const;  // results/<experiment>

  // The plan in words: rows, stages to run, steps; with `probe` also time and disk, from a few
  // training steps of each distinct row, in memory.
  std::string describe(const RunOptions& options, bool probe) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench
