// One row with one seed, through its stages: each part that has finished is taken as it is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiment/resolved_rows.h"
#include "experiment/result_cache.h"
#include "report/run_summary.h"
#include "tensors/state_dict.h"

namespace avbench::experiment {

// See extract_features().
struct SplitFeatures {
  tensors::StateDict tensors;
  std::vector<std::string> ids;  // of the tensors' rows
  std::vector<std::string> classes;
};

class SingleRun {
 public:
  // `title` begins messages and progress. `rows` and `run` outlive this.
  SingleRun(const ResolvedRows& rows, const RunSpec& run, std::string title)
      : rows_(rows), run_(run), title_(std::move(title)) {}

  // Whether what is asked for is there: a test stands for what came before it; without one, what it
  // would need must be there.
  bool done(const RunOptions& options) const;

  // Runs the stages that are asked for. Throws UserError if the folder holds a run of another
  // configuration, or a stage lacks the one before it.
  void run(const RunOptions& options, const ResultCache& cache) const;

  // What a table is made from: the finished run, or, without looking at its test, its finetuning.
  // Nothing if the run has not come that far.
  std::optional<report::RunSummary> summary(bool tested) const;

  // With the checkpoint that is tested, or with the weights that finetuning starts from. Throws
  // UserError if the run has not come that far, or the split is empty.
  SplitFeatures features(data::Split split, bool finetuned) const;

  // Says that the results are of another build of the plugin, if they are.
  void warn_if_stale() const;

 private:
  struct Start {
    std::shared_ptr<Method> method;
    std::optional<stages::PretrainResult> pretrained;  // none for a baseline
  };
  // What finetuning starts from: the method as pretrained, or random towers.
  Start starting_point(const RunOptions& options) const;
  std::pair<stages::PretrainResult, train::Checkpoint> ensure_pretrained(
      const stages::PretrainJob& job, const RunOptions& options) const;
  stages::FinetuneResult ensure_finetuned(const stages::FinetuneJob& job, const RunOptions& options,
                                          stages::Classifier& classifier) const;
  stages::TestResult ensure_tested(stages::FinetuneJob job, stages::Classifier& classifier) const;
  void make_folder(const RunOptions& options, const ResultCache& cache) const;
  void move_older_build_aside() const;
  [[noreturn]] void refuse_other_build() const;
  report::RunSummary summarise(const std::optional<stages::PretrainResult>& pretrained,
                               const stages::FinetuneResult& finetuned,
                               const std::optional<stages::TestResult>& tested) const;

  const ResolvedRows& rows_;
  const RunSpec& run_;
  std::string title_;
};

}  // namespace avbench::experiment
