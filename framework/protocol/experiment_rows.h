// The rows of an experiment, each checked against its plugin and its data, and the jobs they make.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "plugin/registry.h"
#include "protocol/classifier.h"
#include "protocol/finetune.h"
#include "protocol/planned_run.h"
#include "protocol/pretrain.h"
#include "protocol/row_data.h"

namespace avbench {

class ExperimentRows {
 public:
  struct MethodOfRow {
    LoadedPlugin plugin;
    std::string hash;  // SHA-256 of the plugin's file
    Params params;
  };

  struct Row {
    std::optional<MethodOfRow> method;  // none: a baseline
    RowData data;
    std::string init_hash;  // of encoder.init
    double forwards = 0;    // encoder passes per sample of a training step
    Identity protocol;
    Json varied;
  };

  // Opens the data (decoding it once) and creates every row's method. `tested`: whether the test
  // split is needed. Throws UserError if anything of the configuration cannot work.
  ExperimentRows(Experiment experiment, const PluginRegistry& plugins, bool tested);

  const Experiment& experiment() const { return experiment_; }
  std::filesystem::path folder() const;  // results/<experiment>
  const Row& of(const RowConfig& row) const { return rows_.at(row.name); }
  static std::string modality(const RowConfig& row);  // of a baseline or a method

  // Throws UserError if a row or seed that is asked for is not the experiment's.
  std::vector<PlannedRun> plan(const RunOptions& options) const;

  // What a run folder must have been made with to be continued.
  Json record(const PlannedRun& run) const;

  // At the weights that the seed gives.
  std::shared_ptr<Method> fresh_method(const RowConfig& row, int64_t seed) const;
  // Of a row with a method.
  PretrainJob pretrain_job(const RowConfig& row, int64_t seed, const std::string& title,
                           const std::filesystem::path& folder) const;
  FinetuneJob finetune_job(const PlannedRun& run, const std::string& title) const;
  Classifier classifier(const PlannedRun& run, std::shared_ptr<Method> method,
                        const std::string& title) const;

 private:
  void require_working(const RowConfig& row) const;
  double count_forwards(const RowConfig& row) const;
  PlannedRun plan_one(const RowConfig& row, int64_t seed) const;
  void plan_pretraining(PlannedRun& run) const;
  std::optional<std::string> kept_build(const PlannedRun& run) const;
  StageData stage_data(const RowConfig& row, const std::shared_ptr<const Dataset>& dataset,
                       Views views) const;

  Experiment experiment_;
  std::map<std::string, Row> rows_;  // by name
};

}  // namespace avbench
