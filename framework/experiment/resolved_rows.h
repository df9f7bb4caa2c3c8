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

namespace avbench::experiment {

class ResolvedRows {
 public:
  struct Row {
    std::optional<RowMethod> method;  // none: a baseline
    RowDatasets data;
    std::string init_hash;  // of encoder.init
    double forwards = 0;    // encoder passes per sample of a training step
    Fingerprint protocol;
    io::Json varied;
  };

  // Chooses the device, opens the data (decoding it once) and creates every row's method. `tested`:
  // whether the test split is needed. Throws UserError if anything of the configuration cannot
  // work, or if the folder of a run that `options` ask for holds one of other settings.
  ResolvedRows(config::Experiment experiment, const plugin::PluginRegistry& plugins, bool tested,
               const RunOptions& options = {});

  const config::Experiment& experiment() const { return experiment_; }
  c10::Device device() const { return device_; }  // run.device
  std::filesystem::path folder() const;           // results/<experiment>
  const Row& of(const config::RowConfig& row) const { return rows_.at(row.name); }
  static config::Modalities modality(const config::RowConfig& row);  // of a baseline or a method

  // Throws UserError if a row or seed that is asked for is not the experiment's.
  std::vector<RunSpec> plan(const RunOptions& options) const;

  RunRecord record(const RunSpec& run) const;

  // At the weights that the seed gives.
  std::shared_ptr<Method> fresh_method(const config::RowConfig& row, int64_t seed) const;
  // Only for a row with a method.
  stages::PretrainJob pretrain_job(const config::RowConfig& row, int64_t seed,
                                   const std::string& title,
                                   const std::filesystem::path& folder) const;
  stages::FinetuneJob finetune_job(const RunSpec& run, const std::string& title) const;
  stages::Classifier classifier(const RunSpec& run, std::shared_ptr<Method> method,
                                const std::string& title) const;

 private:
  void require_working(const config::RowConfig& row) const;
  double count_forwards(const config::RowConfig& row) const;
  void require_known(const RunOptions& options) const;
  std::vector<std::pair<const config::RowConfig*, int64_t>> wanted(const RunOptions& options) const;
  std::filesystem::path run_folder(const config::RowConfig& row, int64_t seed) const;
  void refuse_other_settings(const config::RowConfig& row, int64_t seed) const;
  RunSpec plan_one(const config::RowConfig& row, int64_t seed) const;
  void plan_pretraining(RunSpec& run) const;
  std::optional<std::string> kept_build(const RunSpec& run) const;
  stages::StageLoaders stage_loaders(const config::RowConfig& row,
                                     const std::shared_ptr<const data::Dataset>& dataset,
                                     Views views) const;

  config::Experiment experiment_;
  c10::Device device_;
  std::map<std::string, Row> rows_;  // by name
};

}  // namespace avbench::experiment
