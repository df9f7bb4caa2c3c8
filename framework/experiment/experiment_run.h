// Runs an experiment: every row with every seed through the stages, each finished part once.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiment/resolved_rows.h"
#include "experiment/result_cache.h"
#include "experiment/single_run.h"

namespace avbench::experiment {

class ExperimentRun {
 public:
  // Opens the data (decoding it once) and checks every row against its plugin. `tested`: whether
  // the test split is needed. Throws UserError if anything of the configuration cannot work, before
  // any training.
  ExperimentRun(config::Experiment experiment, const plugin::PluginRegistry& plugins, bool tested,
                const RunOptions& options = {})
      : rows_(std::move(experiment), plugins, tested, options),
        cache_(rows_.experiment().run.results) {}

  std::vector<RunSpec> plan(const RunOptions& options) const { return rows_.plan(options); }

  // Carries out the plan; calls `row_done` after each run, so that a table can grow. A run that
  // fails does not keep the others from running: the messages of those that did are returned.
  // Throws UserError if a folder holds a run of another configuration, or a stage lacks the one
  // before it.
  std::vector<std::string> run(const RunOptions& options,
                               const std::function<void(const RunSpec&)>& row_done) const;

  // See SingleRun.
  std::optional<report::RunSummary> summary(const RunSpec& run, bool tested) const;
  SplitFeatures features(const RunSpec& run, data::Split split, bool finetuned) const;

  const config::Experiment& experiment() const { return rows_.experiment(); }
  std::filesystem::path folder() const { return rows_.folder(); }  // results/<experiment>

  // The plan in words: rows, stages to run, steps; with `probe` also time and disk, from a few
  // training steps of each distinct row, in memory.
  std::string describe(const RunOptions& options, bool probe) const;

 private:
  ResolvedRows rows_;
  ResultCache cache_;
};

}  // namespace avbench::experiment
