#include "protocol/experiment_rows.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "io/error.h"
#include "io/processors.h"
#include "io/sha256.h"
#include "io/suggest.h"
#include "plugin/failure.h"
#include "protocol/encoder_forwards.h"
#include "protocol/initial_towers.h"
#include "protocol/run_folder.h"
#include "train/seeds.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

std::vector<ParamInput> param_inputs(const std::vector<Setting>& settings) {
  std::vector<ParamInput> inputs;
  for (const Setting& s : settings) inputs.push_back({s.name, s.text, s.where});
  return inputs;
}

Json params_json(const Params& params) {
  Json json = Json::object();
  for (const auto& entry : params.values()) {
    std::visit([&](const auto& value) { json[entry.first] = value; }, entry.second);
  }
  return json;
}

ExperimentRows::MethodOfRow method_of(const PluginRegistry& plugins, const RowConfig& row) {
  try {
    const LoadedPlugin& loaded = plugins.find(row.method);
    return {loaded, sha256_file(loaded.file),
            Params::resolve(loaded.record->name, loaded.record->params, param_inputs(row.params))};
  } catch (const UserError& error) {
    const std::string prefix = "row '" + row.name + "': ";
    throw UserError(prefix + join(split(error.what(), '\n'), "\n" + prefix));
  }
}

// A preset's warm-up may be made for longer runs.
void warn_of_long_warmup(const RowConfig& row) {
  const double warmup = row.pretrain.schedule.warmup_epochs;
  const auto epochs = static_cast<double>(row.protocol.pretrain.epochs);
  if (row.method.empty() || !row.pretrained || epochs == 0 || warmup < epochs) return;
  spdlog::warn(
      "row '{}': pretrain.schedule.warmup_epochs is {}, and pretraining has {} epochs: the "
      "learning rate never reaches pretrain.optimizer.lr",
      row.name, warmup, epochs);
}

// The user's mistakes in all rows are reported together, equal ones once.
template <typename Check>
void for_every_row(const Experiment& experiment, const Check& check) {
  std::vector<std::string> mistakes;
  for (const RowConfig& row : experiment.rows) {
    try {
      check(row);
    } catch (const UserError& error) {
      const std::string mistake = error.what();
      if (std::count(mistakes.begin(), mistakes.end(), mistake) == 0) mistakes.push_back(mistake);
    } catch (const std::exception&) {
      if (mistakes.empty()) throw;
    }
  }
  if (!mistakes.empty()) throw UserError(join(mistakes, "\n"));
}

}  // namespace

ExperimentRows::ExperimentRows(Experiment experiment, const PluginRegistry& plugins, bool tested)
    : experiment_(std::move(experiment)) {
  // Before the data, which may take long to read.
  for_every_row(experiment_, [&](const RowConfig& row) {
    Row& state = rows_[row.name];
    if (!row.method.empty()) state.method = method_of(plugins, row);
  });
  const std::vector<RowData> data = open_row_data(experiment_, tested);
  for (size_t i = 0; i < data.size(); ++i) {
    const ProtocolConfig& protocol = experiment_.rows[i].protocol;
    Row& state = rows_.at(experiment_.rows[i].name);
    state.data = data[i];
    state.init_hash = init_hash(protocol.encoder);
    state.protocol = protocol_identity(protocol, experiment_.varies, state.init_hash,
                                       *data[i].labelled, *data[i].pretraining);
    state.varied = varied_settings(protocol, experiment_.varies, state.init_hash);
  }
  for (const RowConfig& row : experiment_.rows) warn_of_long_warmup(row);
  for_every_row(experiment_, [&](const RowConfig& row) {
    require_working(row);
    rows_.at(row.name).forwards = count_forwards(row);
  });
}

fs::path ExperimentRows::folder() const {
  return fs::path(experiment_.run.results) / experiment_.name;
}

std::string ExperimentRows::modality(const RowConfig& row) {
  return row.baseline.empty() ? row.modality : row.baseline;
}

std::vector<PlannedRun> ExperimentRows::plan(const RunOptions& options) const {
  std::vector<std::string> names;
  for (const RowConfig& row : experiment_.rows) names.push_back(row.name);
  for (const std::string& wanted : options.rows) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    throw UserError("no row named '" + wanted + "'" + did_you_mean(wanted, names) +
                    "; rows: " + join(names));
  }
  const auto& seeds = experiment_.seeds;
  for (const int64_t wanted : options.seeds) {
    if (std::count(seeds.begin(), seeds.end(), wanted) > 0) continue;
    throw UserError(
        fmt::format("seed {} is not one of the experiment's: {}. Add it with --set "
                    "seeds=[...].",
                    wanted, fmt::join(seeds, ", ")));
  }
  std::vector<PlannedRun> runs;
  for (const int64_t seed : options.seeds.empty() ? experiment_.seeds : options.seeds) {
    for (const RowConfig& row : experiment_.rows) {
      const bool wanted = options.rows.empty() ||
                          std::count(options.rows.begin(), options.rows.end(), row.name) > 0;
      if (wanted) runs.push_back(plan_one(row, seed));
    }
  }
  return runs;
}

PlannedRun ExperimentRows::plan_one(const RowConfig& row, int64_t seed) const {
  const Row& state = of(row);
  PlannedRun run{.row = &row, .seed = seed};
  run.folder = folder() / fmt::format("{}-s{}", row.name, seed);
  if (state.method) plan_pretraining(run);
  run.whole = run_identity(row.protocol, state.init_hash,
                           {{"pretrain", run.pretrain.content}, {"modality", modality(row)}}, seed,
                           *state.data.labelled, *state.data.pretraining);
  const RunFolder folder(run.folder);
  run.rebuilt = folder.build_of(record(run)).has_value();
  if (run.rebuilt) return run;
  run.finished = folder.finished(record(run));
  run.finetuned = read_result(run.folder / "finetune.json").has_value();
  return run;
}

void ExperimentRows::plan_pretraining(PlannedRun& run) const {
  const RowConfig& row = *run.row;
  const Row& state = of(row);
  const Json params = params_json(state.method->params);
  if (row.pretrained) {
    run.pretrain = pretrain_identity(row, state.method->hash, state.init_hash, params, run.seed,
                                     *state.data.labelled, *state.data.pretraining);
  } else {
    run.pretrain.content = {{"method", row.method},
                            {"plugin", state.method->hash},
                            {"params", params},
                            {"pretrained", false}};
  }
  if (experiment_.run.on_rebuild == "keep") {
    if (const auto build = kept_build(run)) {
      run.pretrain = with_plugin(run.pretrain, *build);
      run.stale = true;
    }
  }
  if (!row.pretrained) return;
  run.pretrain_folder = pretrain_folder(experiment_.run.results, run.pretrain.hash);
  run.pretrained = fs::exists(run.pretrain_folder / "summary.json");
}

// The build whose results are kept: that of the run's folder, else of the newest pretraining that
// differs in nothing else. Nothing if there are none, or the plugin's own build has pretrained.
std::optional<std::string> ExperimentRows::kept_build(const PlannedRun& run) const {
  if (auto build = RunFolder(run.folder).build_of(record(run))) return build;
  const fs::path results = experiment_.run.results;
  if (run.pretrain.hash.empty() ||
      fs::exists(pretrain_folder(results, run.pretrain.hash) / "summary.json")) {
    return std::nullopt;
  }
  return newest_other_build(results, run.pretrain);
}

Json ExperimentRows::record(const PlannedRun& run) const {
  const Row& state = of(*run.row);
  Json record = {{"row", run.row->name},
                 {"seed", run.seed},
                 {"modality", modality(*run.row)},
                 {"method", run.row->method},
                 {"pretrain", run.pretrain.content},
                 {"protocol", state.protocol.content}};
  if (!state.varied.empty()) record["varied"] = state.varied;
  return record;
}

std::shared_ptr<Method> ExperimentRows::fresh_method(const RowConfig& row, int64_t seed) const {
  if (of(row).method) {
    return create_method(pretrain_job(row, seed, "row '" + row.name + "'", {}));
  }
  const EncoderConfig& encoder = row.protocol.encoder;
  return make_baseline(initial_towers(encoder, derive_seed(static_cast<uint64_t>(seed), "towers"),
                                      row.protocol.spectrogram.channels));
}

PretrainJob ExperimentRows::pretrain_job(const RowConfig& row, int64_t seed,
                                         const std::string& title, const fs::path& folder) const {
  const Row& state = of(row);
  const LoadedPlugin& loaded = state.method->plugin;
  const Params& params = state.method->params;
  Views views = call_plugin(loaded, "views", title, [&] { return loaded.record->views(params); });
  return {title,
          folder,
          row,
          experiment_.run,
          loaded,
          params,
          static_cast<uint64_t>(seed),
          stage_data(row, state.data.pretraining, std::move(views)),
          stage_data(row, state.data.labelled, base_views())};
}

FinetuneJob ExperimentRows::finetune_job(const PlannedRun& run, const std::string& title) const {
  const RowConfig& row = *run.row;
  return {title,
          run.folder,
          row.protocol,
          experiment_.run,
          static_cast<uint64_t>(run.seed),
          stage_data(row, of(row).data.labelled, modality_views(modality(row)))};
}

Classifier ExperimentRows::classifier(const PlannedRun& run, std::shared_ptr<Method> method,
                                      const std::string& title) const {
  const Row& state = of(*run.row);
  return {std::move(method),
          modality(*run.row),
          run.row->protocol.finetune,
          static_cast<int64_t>(state.data.labelled->classes().size()),
          derive_seed(static_cast<uint64_t>(run.seed), "classifier"),
          {state.method ? &state.method->plugin : nullptr, title}};
}

// The method is created once, and the towers see one clip, so that what a plugin or an encoder
// refuses is refused now and not hours later.
void ExperimentRows::require_working(const RowConfig& row) const {
  const ProtocolConfig& p = row.protocol;
  const at::NoGradGuard no_grad;
  const auto method = fresh_method(row, experiment_.seeds.front());
  method->eval();
  Batch batch;
  batch.video[kBaseView] = at::zeros({1, 3, p.clip.frames, p.clip.crop, p.clip.crop});
  batch.audio[kBaseView] =
      at::zeros({1, p.spectrogram.channels, 1, p.spectrogram.crop, p.spectrogram.crop});
  method->towers().forward(batch);
}

// Of pretraining; of finetuning where there is none.
double ExperimentRows::count_forwards(const RowConfig& row) const {
  const Row& state = of(row);
  if (!state.method || !row.pretrained) return modality(row) == "both" ? 2 : 1;
  return encoder_forwards(state.method->plugin, state.method->params, row.protocol,
                          state.data.pretraining->size(Split::kTrain), "row '" + row.name + "'");
}

StageData ExperimentRows::stage_data(const RowConfig& row,
                                     const std::shared_ptr<const Dataset>& dataset,
                                     Views views) const {
  return {dataset, std::move(views), static_cast<int>(loader_threads(experiment_.run.workers)),
          row.protocol.pretrain.batch_size};
}

}  // namespace avbench
