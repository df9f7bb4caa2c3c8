// The rows of an experiment, each checked against its plugin and its data, and the jobs they make.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "experiment/row_datasets.h"
#include "experiment/row_method.h"
#include "experiment/run_folder.h"
#include "experiment/run_spec.h"
#include "plugin/registry.h"
#include "stages/classifier.h"
#include "stages/finetune.h"
#include "stages/pretrain.h"

namespace avbench {

class ResolvedRows {
 public:
  struct Row {
    std::optional<RowMethod> method;  // none: a baseline
    RowDatasets data;
    std::string init_hash;  // of encoder.init
    double forwards = 0;    // encoder passes per sample of a training step
    Fingerprint protocol;
    Json varied;
  };

  // Opens the data (decoding it once) and creates every row's method. `tested`: whether the test
  // split is needed. Throws UserError if anything of the configuration cannot work, or if the
  // folder of a run that `options` ask for holds one of other settings.
  ResolvedRows(Experiment experiment, const PluginRegistry& plugins, bool tested,
               const RunOptions& options = {});

  const Experiment& experiment() const { return experiment_; }
  std::filesystem::path folder() const;  // results/<experiment>
  const Row& of(const RowConfig& row) const { return rows_.at(row.name); }
  static Modalities modality(const RowConfig& row);  // of a baseline or a method

  // Throws UserError if a row or seed that is asked for is not the experiment's.
  std::vector<RunSpec> plan(const RunOptions& options) const;

  RunRecord record(const RunSpec& run) const;

  // At the weights that the seed gives.
  std::shared_ptr<Method> fresh_method(const RowConfig& row, int64_t seed) const;
  // Only for a row with a method.
  PretrainJob pretrain_job(const RowConfig& row, int64_t seed, const std::string& title,
                           const std::filesystem::path& folder) const;
  FinetuneJob finetune_job(const RunSpec& run, const std::string& title) const;
  Classifier classifier(const RunSpec& run, std::shared_ptr<Method> method,
                        const std::string& title) const;

 private:
  void require_working(const RowConfig& row) const;
  double count_forwards(const RowConfig& row) const;
  void require_known(const RunOptions& options) const;
  std::vector<std::pair<const RowConfig*, int64_t>> wanted(const RunOptions& options) const;
  std::filesystem::path run_folder(const RowConfig& row, int64_t seed) const;
  void refuse_other_settings(const RowConfig& row, int64_t seed) const;
  RunSpec plan_one(const RowConfig& row, int64_t seed) const;
  void plan_pretraining(RunSpec& run) const;
  std::optional<std::string> kept_build(const RunSpec& run) const;
  StageLoaders stage_loaders(const RowConfig& row, const std::shared_ptr<const Dataset>& dataset,
                             Views views) const;

  Experiment experiment_;
  std::map<std::string, Row> rows_;  // by name
};

}  // namespace avbench
