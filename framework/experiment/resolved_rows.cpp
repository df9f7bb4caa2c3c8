#include "experiment/resolved_rows.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "device/place.h"
#include "experiment/chosen_device.h"
#include "experiment/run_folder.h"
#include "io/error.h"
#include "io/processors.h"
#include "io/strings.h"
#include "io/suggest.h"
#include "plugin/failure.h"
#include "stages/forward_passes.h"
#include "stages/initial_towers.h"
#include "tensors/seeds.h"
#include "train/run_layout.h"
#include "train/stored_result.h"

namespace avbench::experiment {
namespace fs = std::filesystem;
namespace {

// A preset's warm-up may be made for longer runs.
void warn_of_long_warmup(const config::RowConfig& row) {
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
void for_every_row(const config::Experiment& experiment, const Check& check) {
  std::vector<std::string> mistakes;
  for (const config::RowConfig& row : experiment.rows) {
    try {
      check(row);
    } catch (const io::UserError& error) {
      const std::string mistake = error.what();
      if (std::count(mistakes.begin(), mistakes.end(), mistake) == 0) mistakes.push_back(mistake);
    } catch (const std::exception&) {
      if (mistakes.empty()) throw;
    }
  }
  if (!mistakes.empty()) throw io::UserError(io::join(mistakes, "\n"));
}

}  // namespace

ResolvedRows::ResolvedRows(config::Experiment experiment, const plugin::PluginRegistry& plugins,
                           bool tested, const RunOptions& options)
    : experiment_(std::move(experiment)), device_(chosen_device(experiment_.run.device)) {
  require_known(options);
  // Before the data, which may take long to read.
  for_every_row(experiment_, [&](const config::RowConfig& row) {
    Row& state = rows_[row.name];
    if (!row.method.empty()) state.method = row_method(plugins, row);
    state.init_hash = stages::init_hash(row.protocol.encoder);
    state.varied = varied_settings(row.protocol, experiment_.varies, state.init_hash);
  });
  for (const auto& [row, seed] : wanted(options)) refuse_other_settings(*row, seed);
  const std::vector<RowDatasets> data = open_row_datasets(experiment_, tested);
  for (size_t i = 0; i < data.size(); ++i) {
    const config::ProtocolConfig& protocol = experiment_.rows[i].protocol;
    Row& state = rows_.at(experiment_.rows[i].name);
    state.data = data[i];
    state.protocol = protocol_fingerprint(protocol, experiment_.varies, state.init_hash,
                                          *data[i].labelled, *data[i].pretraining);
  }
  for (const config::RowConfig& row : experiment_.rows) warn_of_long_warmup(row);
  for_every_row(experiment_, [&](const config::RowConfig& row) {
    require_working(row);
    rows_.at(row.name).forwards = count_forwards(row);
  });
}

fs::path ResolvedRows::folder() const {
  return fs::path(experiment_.run.results) / experiment_.name;
}

config::Modalities ResolvedRows::modality(const config::RowConfig& row) {
  switch (row.baseline) {
    case config::RowConfig::Baseline::kVideo:
      return config::Modalities::kVideo;
    case config::RowConfig::Baseline::kAudio:
      return config::Modalities::kAudio;
    case config::RowConfig::Baseline::kBoth:
      return config::Modalities::kBoth;
    case config::RowConfig::Baseline::kNone:
      break;
  }
  return row.modality;
}

void ResolvedRows::require_known(const RunOptions& options) const {
  std::vector<std::string> names;
  for (const config::RowConfig& row : experiment_.rows) names.push_back(row.name);
  for (const std::string& wanted : options.rows) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    throw io::UserError("no row named '" + wanted + "'" + io::did_you_mean(wanted, names) +
                        "; rows: " + io::join(names));
  }
  const auto& seeds = experiment_.seeds;
  for (const int64_t wanted : options.seeds) {
    if (std::count(seeds.begin(), seeds.end(), wanted) > 0) continue;
    throw io::UserError(
        fmt::format("seed {} is not one of the experiment's: {}. Add it with --set "
                    "seeds=[...].",
                    wanted, fmt::join(seeds, ", ")));
  }
}

std::vector<RunSpec> ResolvedRows::plan(const RunOptions& options) const {
  require_known(options);
  std::vector<RunSpec> runs;
  for (const auto& [row, seed] : wanted(options)) runs.push_back(plan_one(*row, seed));
  return runs;
}

// Seed by seed, so that a table grows evenly.
std::vector<std::pair<const config::RowConfig*, int64_t>> ResolvedRows::wanted(
    const RunOptions& options) const {
  const auto asked = [](const auto& list, const auto& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  std::vector<std::pair<const config::RowConfig*, int64_t>> runs;
  for (const int64_t seed : options.seeds.empty() ? experiment_.seeds : options.seeds) {
    for (const config::RowConfig& row : experiment_.rows) {
      if (asked(options.rows, row.name)) runs.emplace_back(&row, seed);
    }
  }
  return runs;
}

fs::path ResolvedRows::run_folder(const config::RowConfig& row, int64_t seed) const {
  return folder() / fmt::format("{}-s{}", row.name, seed);
}

// What can be told before the data are read, which may take long.
void ResolvedRows::refuse_other_settings(const config::RowConfig& row, int64_t seed) const {
  const RunFolder folder(run_folder(row, seed));
  const auto before = folder.record_if_begun();
  if (!before || !before->protocol.is_object()) return;  // if it is none, require_same() says so
  const Row& state = of(row);
  RunRecord now = *before;
  now.row = row.name;
  now.seed = seed;
  now.modality = config::to_word(modality(row));
  now.method = row.method;
  now.varied = state.varied;
  now.protocol.update(protocol_settings(row.protocol, experiment_.varies, state.init_hash));
  if (state.method && now.pretrain.is_object()) {
    io::Json settings = pretrain_settings(row, state.method->hash, state.init_hash,
                                          params_json(state.method->params), seed);
    take_build(before->pretrain, settings);
    now.pretrain.update(settings);
  }
  folder.require_same(now);
}

RunSpec ResolvedRows::plan_one(const config::RowConfig& row, int64_t seed) const {
  const Row& state = of(row);
  RunSpec run{.row = &row, .seed = seed};
  run.folder = run_folder(row, seed);
  if (state.method) plan_pretraining(run);
  run.fingerprint =
      run_fingerprint(row.protocol, state.init_hash,
                      {{"pretrain", run.pretrain.content}, {"modality", modality(row)}}, seed,
                      *state.data.labelled, *state.data.pretraining);
  const RunFolder folder(run.folder);
  run.rebuilt = folder.build_of(record(run)).has_value();
  if (run.rebuilt) return run;
  run.finished = folder.finished(record(run));
  run.finetuned = train::read_result(run.folder / train::run_layout::kFinetuneResult).has_value();
  return run;
}

void ResolvedRows::plan_pretraining(RunSpec& run) const {
  const config::RowConfig& row = *run.row;
  const Row& state = of(row);
  run.pretrain = pretrain_fingerprint(row, state.method->hash, state.init_hash,
                                      params_json(state.method->params), run.seed,
                                      *state.data.labelled, *state.data.pretraining);
  if (experiment_.run.on_rebuild == config::RunConfig::OnRebuild::kKeep) {
    if (const auto build = kept_build(run)) {
      run.pretrain = with_plugin(run.pretrain, *build);
      run.stale = true;
    }
  }
  if (!row.pretrained) return;
  run.pretrain_folder = pretrain_folder(experiment_.run.results, run.pretrain.hash);
  run.pretrained = fs::exists(run.pretrain_folder / train::run_layout::kSummary);
}

// The build whose results are kept: that of the run's folder, else of the newest pretraining that
// differs in nothing else. Nothing if there are none, or the plugin's own build has pretrained.
std::optional<std::string> ResolvedRows::kept_build(const RunSpec& run) const {
  if (auto build = RunFolder(run.folder).build_of(record(run))) return build;
  const fs::path results = experiment_.run.results;
  if (run.pretrain.hash.empty() ||
      fs::exists(pretrain_folder(results, run.pretrain.hash) / train::run_layout::kSummary)) {
    return std::nullopt;
  }
  return newest_other_build(results, run.pretrain);
}

RunRecord ResolvedRows::record(const RunSpec& run) const {
  const Row& state = of(*run.row);
  return {.row = run.row->name,
          .seed = run.seed,
          .modality = config::to_word(modality(*run.row)),
          .method = run.row->method,
          .pretrain = run.pretrain.content,
          .protocol = state.protocol.content,
          .varied = state.varied};
}

std::shared_ptr<Method> ResolvedRows::fresh_method(const config::RowConfig& row,
                                                   int64_t seed) const {
  if (of(row).method) {
    return create_method(pretrain_job(row, seed, "row '" + row.name + "'", {}));
  }
  const config::EncoderConfig& encoder = row.protocol.encoder;
  auto baseline = stages::make_baseline(
      stages::initial_towers(encoder, tensors::derive_seed(static_cast<uint64_t>(seed), "towers"),
                             row.protocol.spectrogram.channels));
  device::place(*baseline, device_);
  return baseline;
}

stages::PretrainJob ResolvedRows::pretrain_job(const config::RowConfig& row, int64_t seed,
                                               const std::string& title,
                                               const fs::path& folder) const {
  const Row& state = of(row);
  const plugin::LoadedPlugin& loaded = state.method->plugin;
  const Params& params = state.method->params;
  Views views =
      plugin::call_plugin(loaded, "views", title, [&] { return loaded.record->views(params); });
  return {title,
          folder,
          row,
          experiment_.run,
          loaded,
          params,
          static_cast<uint64_t>(seed),
          stage_loaders(row, state.data.pretraining, std::move(views)),
          stage_loaders(row, state.data.labelled, base_views())};
}

stages::FinetuneJob ResolvedRows::finetune_job(const RunSpec& run, const std::string& title) const {
  const config::RowConfig& row = *run.row;
  return {title,
          run.folder,
          row.protocol,
          experiment_.run,
          static_cast<uint64_t>(run.seed),
          stage_loaders(row, of(row).data.labelled, stages::modality_views(modality(row)))};
}

stages::Classifier ResolvedRows::classifier(const RunSpec& run, std::shared_ptr<Method> method,
                                            const std::string& title) const {
  const Row& state = of(*run.row);
  return {std::move(method),
          modality(*run.row),
          run.row->protocol.finetune,
          static_cast<int64_t>(state.data.labelled->classes().size()),
          tensors::derive_seed(static_cast<uint64_t>(run.seed), "classifier"),
          {state.method ? &state.method->plugin : nullptr, title}};
}

// The method is created once, and the towers see one clip, so that what a plugin or an encoder
// refuses is refused now and not hours later.
void ResolvedRows::require_working(const config::RowConfig& row) const {
  const config::ProtocolConfig& p = row.protocol;
  const at::NoGradGuard no_grad;
  const auto method = fresh_method(row, experiment_.seeds.front());
  method->eval();
  Batch batch{.index = at::zeros({1}, at::kLong)};
  batch.video[kBaseView] = at::zeros({1, 3, p.clip.frames, p.clip.crop, p.clip.crop});
  batch.audio[kBaseView] =
      at::zeros({1, p.spectrogram.channels, 1, p.spectrogram.crop, p.spectrogram.crop});
  method->towers().forward(device::batch_on(device_, batch));
}

// Counts those of pretraining, or of finetuning where there is none.
double ResolvedRows::count_forwards(const config::RowConfig& row) const {
  const Row& state = of(row);
  if (!state.method || !row.pretrained) return modality(row) == config::Modalities::kBoth ? 2 : 1;
  return stages::forward_passes(state.method->plugin, state.method->params, row.protocol,
                                state.data.pretraining->size(data::Split::kTrain),
                                "row '" + row.name + "'");
}

stages::StageLoaders ResolvedRows::stage_loaders(
    const config::RowConfig& row, const std::shared_ptr<const data::Dataset>& dataset,
    Views views) const {
  return {dataset, std::move(views), static_cast<int>(io::loader_threads(experiment_.run.workers)),
          row.protocol.pretrain.batch_size, device_};
}

}  // namespace avbench::experiment
