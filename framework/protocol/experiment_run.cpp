#include "protocol/experiment_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

#include "config/writer.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/folder_lock.h"
#include "io/sha256.h"
#include "io/suggest.h"
#include "plugin/failure.h"
#include "protocol/encoder_forwards.h"
#include "protocol/estimate.h"
#include "protocol/evaluation.h"
#include "protocol/features.h"
#include "protocol/finetune.h"
#include "protocol/finished_runs.h"
#include "protocol/initial_towers.h"
#include "protocol/pretrain.h"
#include "protocol/row_data.h"
#include "protocol/run_folder.h"
#include "train/interrupt.h"
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

const LoadedPlugin& find_plugin(const PluginRegistry& plugins, const RowConfig& row) {
  try {
    return plugins.find(row.method);
  } catch (const UserError& error) {
    throw UserError("row '" + row.name + "': " + error.what());
  }
}

}  // namespace

class ExperimentRun::Impl {
 public:
  Impl(Experiment experiment, const PluginRegistry& plugins)
      : experiment_(std::move(experiment)), finished_runs_(experiment_.run.results) {
    for (const RowConfig& row : experiment_.rows) {  // before the data, which may take long to read
      RowState& state = rows_[row.name];
      if (row.method.empty()) continue;
      const LoadedPlugin& loaded = find_plugin(plugins, row);
      state.method = MethodOfRow{loaded, Params::resolve(loaded.record->name, loaded.record->params,
                                                         param_inputs(row.params))};
    }
    const std::vector<RowData> data = open_row_data(experiment_);
    for (size_t i = 0; i < data.size(); ++i) {
      const ProtocolConfig& protocol = experiment_.rows[i].protocol;
      RowState& state = rows_.at(experiment_.rows[i].name);
      state.data = data[i];
      state.init_hash = init_hash(protocol.encoder);
      state.protocol = protocol_identity(protocol, experiment_.varies, state.init_hash,
                                         *data[i].labelled, *data[i].pretraining);
      state.varied = varied_settings(protocol, experiment_.varies, state.init_hash);
    }
    for (const RowConfig& row : experiment_.rows) {
      require_working(row);
      rows_.at(row.name).forwards = count_forwards(row);
    }
  }

  std::vector<PlannedRun> plan(const RunOptions& options) const {
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

  std::vector<std::string> run(const RunOptions& options,
                               const std::function<void(const PlannedRun&)>& row_done) {
    const auto runs = plan(options);
    std::vector<std::string> failures;
    for (size_t i = 0; i < runs.size(); ++i) {
      const std::string title =
          fmt::format("[{}/{}] {} s{}", i + 1, runs.size(), runs[i].row->name, runs[i].seed);
      if (runs[i].finished) {
        spdlog::info("{}: already finished", title);
        warn_of_new_build(runs[i], title);
        row_done(runs[i]);
        continue;
      }
      try {
        run_one(runs[i], options, title);
        row_done(runs[i]);
      } catch (const UserError&) {
        throw;
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception& error) {
        spdlog::error("{}: {}", title, error.what());
        failures.push_back(error.what());
      }
    }
    return failures;
  }

  std::string describe(const RunOptions& options, bool probe) const {
    const auto runs = plan(options);
    std::string text = describe_data(runs.front());
    std::map<std::string, RunCost> costs;  // measured once a distinct row
    std::vector<std::string> counted;
    Estimate total;
    for (const PlannedRun& run : runs) {
      text += fmt::format("{} s{}: ", run.row->name, run.seed);
      if (run.finished) {
        text += "finished\n";
        continue;
      }
      if (const auto other = finished_runs_.find(run.whole, run.folder)) {
        text += fmt::format("the same as {}, copied\n", other->string());
        continue;
      }
      const Workload work = workload(*run.row, state_of(*run.row).data, run.seed);
      const bool shared =
          run.pretrained || std::count(counted.begin(), counted.end(), run.pretrain.hash) > 0;
      if (work.pretrain_steps > 0) {
        text += run.pretrained ? "pretrained; "
                : shared       ? "shares a pretraining above; "
                               : fmt::format("pretrain {} steps; ", work.pretrain_steps);
        counted.push_back(run.pretrain.hash);
      }
      text += fmt::format("finetune {} steps; test {} clips", work.finetune_steps, work.test_clips);
      if (probe) {
        const RunCost& cost = cost_of(run, costs);
        Estimate estimate = finetune_estimate(work, cost, experiment_.run);
        if (!shared) estimate += pretrain_estimate(work, cost, experiment_.run);
        total += estimate;
        text += "; " + to_string(estimate);
      }
      text += "\n";
    }
    if (probe && total.seconds > 0) text += "in all " + to_string(total) + " of checkpoints\n";
    return text;
  }

  SplitFeatures features(const PlannedRun& run, Split split, bool finetuned) {
    const std::string title = fmt::format("{} s{}", run.row->name, run.seed);
    auto [method, pretrained] = starting_point(run, {.pretrain = false}, title);
    Classifier classifier = make_classifier(run, std::move(method), title);
    const FinetuneJob job = finetune_job(run, title + " features");
    const Dataset& data = *job.data.dataset;
    if (finetuned) {
      const auto chosen = chosen_checkpoint(job);
      if (!chosen) {
        throw UserError(title + ": not finetuned yet, or its checkpoint is damaged; run " +
                        "`avbench finetune` first");
      }
      copy_state(chosen->tensors, classifier.state(), chosen->file.string());
    }
    SplitFeatures result{
        extract_features(classifier, job.data, split, job.title), {}, data.classes()};
    for (const Sample& sample : data.samples(split)) result.ids.push_back(sample.id);
    return result;
  }

  const Experiment& experiment() const { return experiment_; }
  fs::path folder() const { return fs::path(experiment_.run.results) / experiment_.name; }

 private:
  struct MethodOfRow {
    LoadedPlugin plugin;
    Params params;
  };

  struct RowState {
    std::optional<MethodOfRow> method;  // none: a baseline
    RowData data;
    std::string init_hash;  // of encoder.init
    double forwards = 0;    // encoder passes per sample of a training step
    Identity protocol;
    Json varied;
  };

  const RowState& state_of(const RowConfig& row) const { return rows_.at(row.name); }

  // The method is created once, and the towers see one clip, so that what a plugin or an encoder
  // refuses is refused now and not hours later.
  void require_working(const RowConfig& row) const {
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
  double count_forwards(const RowConfig& row) const {
    const RowState& state = state_of(row);
    if (!state.method || !row.pretrained) return modality(row) == "both" ? 2 : 1;
    return encoder_forwards(state.method->plugin, state.method->params, row.protocol,
                            state.data.pretraining->size(Split::kTrain), "row '" + row.name + "'");
  }

  // At the weights that the seed gives.
  std::shared_ptr<Method> fresh_method(const RowConfig& row, int64_t seed) const {
    if (state_of(row).method) {
      return create_method(pretrain_job(row, seed, "row '" + row.name + "'", {}));
    }
    const EncoderConfig& encoder = row.protocol.encoder;
    return make_baseline(initial_towers(encoder, derive_seed(static_cast<uint64_t>(seed), "towers"),
                                        row.protocol.spectrogram.channels));
  }

  // Of a row with a method.
  PretrainJob pretrain_job(const RowConfig& row, int64_t seed, const std::string& title,
                           const fs::path& folder) const {
    const RowState& state = state_of(row);
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

  PlannedRun plan_one(const RowConfig& row, int64_t seed) const {
    const RowState& state = state_of(row);
    PlannedRun run{.row = &row, .seed = seed};
    run.folder = folder() / fmt::format("{}-s{}", row.name, seed);
    if (state.method) {
      const Json params = params_json(state.method->params);
      if (row.pretrained) {
        run.pretrain = pretrain_identity(row, state.init_hash, params, seed, *state.data.labelled,
                                         *state.data.pretraining);
        run.pretrain_folder = fs::path(experiment_.run.results) / "pretrain" /
                              pretrain_folder_name(run.pretrain.hash);
        run.pretrained = fs::exists(run.pretrain_folder / "summary.json");
      } else {
        run.pretrain.content = {{"method", row.method}, {"params", params}, {"pretrained", false}};
      }
    }
    run.whole = run_identity(row.protocol, state.init_hash,
                             {{"pretrain", run.pretrain.content}, {"modality", modality(row)}},
                             seed, *state.data.labelled, *state.data.pretraining);
    run.finished = RunFolder(run.folder).finished(run_record(run));
    return run;
  }

  // What a run folder must have been made with to be continued.
  Json run_record(const PlannedRun& run) const {
    const RowState& state = state_of(*run.row);
    Json record = {{"row", run.row->name},
                   {"seed", run.seed},
                   {"modality", modality(*run.row)},
                   {"method", run.row->method},
                   {"pretrain", run.pretrain.content},
                   {"protocol", state.protocol.content}};
    if (!state.varied.empty()) record["varied"] = state.varied;
    return record;
  }

  static std::string modality(const RowConfig& row) {
    return row.baseline.empty() ? row.modality : row.baseline;
  }

  StageData stage_data(const RowConfig& row, const std::shared_ptr<const Dataset>& dataset,
                       Views views) const {
    return {dataset, std::move(views), static_cast<int>(experiment_.run.workers),
            row.protocol.pretrain.batch_size};
  }

  std::string describe_data(const PlannedRun& run) const {
    const RowState& state = state_of(*run.row);
    const Dataset& data = *state.data.labelled;
    return fmt::format(
        "protocol {}\nfiles: pretraining {}, training {} ({} labelled), validation {}, test {}; "
        "excluded {}\n",
        state.protocol.hash, state.data.pretraining->size(Split::kTrain), data.size(Split::kTrain),
        workload(*run.row, state.data, run.seed).labels, data.size(Split::kVal),
        data.size(Split::kTest), data.excluded().size());
  }

  // Measured unless `known` has it of a row that does the same.
  const RunCost& cost_of(const PlannedRun& run, std::map<std::string, RunCost>& known) const {
    const RowConfig& row = *run.row;
    Json start = run.pretrain.content;
    if (start.is_object()) start.erase("seed");
    const std::string key = canonical_json({to_json(row.protocol), modality(row), start});
    if (const auto found = known.find(key); found != known.end()) return found->second;
    spdlog::info("measuring a few steps of {}", row.name);
    RunCost cost;
    if (row.pretrained && !row.method.empty() && row.protocol.pretrain.epochs > 0) {
      cost.pretrain = probe_pretraining(pretrain_job(row, run.seed, row.name + " probe", {}));
    }
    Classifier classifier = make_classifier(run, fresh_method(row, run.seed), row.name);
    const FinetuneJob job = finetune_job(run, row.name + " probe");
    cost.finetune = probe_finetuning(job, classifier);
    cost.clip_seconds = probe_evaluation(classifier, job.data);
    return known.emplace(key, cost).first->second;
  }

  void run_one(const PlannedRun& run, const RunOptions& options, const std::string& title) {
    const FolderLock lock(run.folder);
    RunFolder folder(run.folder);
    const RowState& state = state_of(*run.row);
    folder.open(run_record(run), to_yaml(experiment_), state.protocol, state.varied,
                *state.data.labelled);
    if (options.finetune && options.test) {
      if (const auto other = finished_runs_.find(run.whole, run.folder)) {
        spdlog::info("{}: the same run has finished in {}; its results are copied", title,
                     other->string());
        FinishedRuns::copy(*other, run.folder);
      }
    }
    auto [method, pretrained] = starting_point(run, options, title);
    if (!options.finetune && !options.test) return;
    Classifier classifier = make_classifier(run, std::move(method), title);
    const FinetuneJob job = finetune_job(run, title + " finetune");
    const Json finetuned = ensure_finetuned(job, options, classifier);
    if (!options.test) return;
    FinetuneJob test_job = job;
    test_job.title = title + " test";
    auto tested_before = read_result(run.folder / "test.json");
    const Json tested = tested_before ? *std::move(tested_before) : test(test_job, classifier);
    folder.finish(summary(run, pretrained, finetuned, tested));
    finished_runs_.add(run.whole, run.folder);
    spdlog::info("{}: accuracy {:.2f} %, validation {:.2f} %", title,
                 100 * tested["accuracy"].get<double>(),
                 100 * finetuned["validation"].get<double>());
  }

  // What finetuning starts from: the method as pretrained, with the summary of that, or random
  // towers and an empty object.
  std::pair<std::shared_ptr<Method>, Json> starting_point(const PlannedRun& run,
                                                          const RunOptions& options,
                                                          const std::string& title) {
    const RowState& state = state_of(*run.row);
    if (!state.method || !run.row->pretrained) {
      return {fresh_method(*run.row, run.seed), Json::object()};
    }
    const PretrainJob job =
        pretrain_job(*run.row, run.seed, title + " pretrain", run.pretrain_folder);
    const Pretrained pretrained = ensure_pretrained(run, job, state.method->plugin, options);
    auto method = create_method(job);
    copy_state(pretrained.chosen.tensors, module_state(*method), pretrained.chosen.file.string());
    return {std::move(method), pretrained.summary};
  }

  Classifier make_classifier(const PlannedRun& run, std::shared_ptr<Method> method,
                             const std::string& title) const {
    const RowState& state = state_of(*run.row);
    return {std::move(method),
            modality(*run.row),
            run.row->protocol.finetune,
            static_cast<int64_t>(state.data.labelled->classes().size()),
            derive_seed(static_cast<uint64_t>(run.seed), "classifier"),
            {state.method ? &state.method->plugin : nullptr, title}};
  }

  FinetuneJob finetune_job(const PlannedRun& run, const std::string& title) const {
    const RowConfig& row = *run.row;
    return {title,
            run.folder,
            row.protocol,
            experiment_.run,
            static_cast<uint64_t>(run.seed),
            stage_data(row, state_of(row).data.labelled, modality_views(modality(row)))};
  }

  struct Pretrained {
    Json summary = Json::object();
    Checkpoint chosen;
  };

  // Results of an older build of the plugin are kept: only the user knows whether they still hold.
  void warn_of_new_build(const PlannedRun& run, const std::string& title) const {
    const fs::path code = run.pretrain_folder / "plugin.sha256";
    if (run.pretrain_folder.empty() || !fs::exists(code)) return;
    const fs::path& library = state_of(*run.row).method->plugin.file;
    if (read_file(code) == sha256_file(library)) return;
    spdlog::warn(
        "{}: {} was built anew since this pretraining was made in {}; if the loss has changed, "
        "remove that folder and {}",
        title, library.string(), run.pretrain_folder.string(), run.folder.string());
  }

  Pretrained ensure_pretrained(const PlannedRun& run, const PretrainJob& job,
                               const LoadedPlugin& plugin, const RunOptions& options) {
    const fs::path done = job.folder / "summary.json", code = job.folder / "plugin.sha256";
    const std::string hash = sha256_file(plugin.file);
    warn_of_new_build(run, job.title);
    if (auto summary = read_result(done)) {
      if (auto chosen = chosen_checkpoint(job, *summary)) {
        return {*std::move(summary), *std::move(chosen)};
      }
    }
    if (!options.pretrain) {
      throw UserError(job.title + ": not pretrained yet, or its result is damaged; run " +
                      "`avbench pretrain` first");
    }
    const FolderLock lock(job.folder);
    write_file_atomically(job.folder / "identity.json", run.pretrain.content.dump(1) + "\n");
    write_file_atomically(job.folder / "excluded.csv", excluded_csv(*job.data.dataset));
    write_file_atomically(code, hash);
    Json summary = pretrain(job);
    auto chosen = chosen_checkpoint(job, summary);
    if (!chosen) throw std::runtime_error(job.title + ": its checkpoint cannot be read back");
    return {std::move(summary), *std::move(chosen)};
  }

  Json ensure_finetuned(const FinetuneJob& job, const RunOptions& options, Classifier& classifier) {
    if (auto summary = read_result(job.folder / "finetune.json")) {
      if (chosen_checkpoint(job)) return *std::move(summary);
    }
    if (!options.finetune) {
      throw UserError(job.title + ": not finetuned yet, or its result is damaged; run " +
                      "`avbench finetune` first");
    }
    return finetune(job, classifier);
  }

  Json summary(const PlannedRun& run, const Json& pretrained, const Json& finetuned,
               const Json& tested) const {
    // A method's speed and memory are those of its pretraining; a baseline has only finetuning.
    const RowState& state = state_of(*run.row);
    const size_t classes = state.data.labelled->classes().size();
    const Json& speed = pretrained.empty() ? finetuned : pretrained;
    const double seconds = pretrained.value("seconds", 0.0) + finetuned["seconds"].get<double>() +
                           tested["seconds"].get<double>();
    return {{"row", run.row->name},
            {"method", run.row->method.empty() ? "supervised" : run.row->method},
            {"modality", modality(*run.row)},
            {"seed", run.seed},
            {"accuracy", tested["accuracy"]},
            {"validation", finetuned["validation"]},
            {"train_accuracy", finetuned["train_accuracy"]},
            {"finetune_steps", finetuned["steps"]},
            {"encoder_forwards", state.forwards},
            {"clips_per_second", speed["clips_per_second"]},
            {"peak_memory_bytes", std::max(speed["peak_memory_bytes"].get<int64_t>(),
                                           finetuned["peak_memory_bytes"].get<int64_t>())},
            {"seconds", seconds},
            {"chance", 1.0 / static_cast<double>(classes)},
            {"labels_train", finetuned["labels_train"]},
            {"labels_validation", finetuned["labels_validation"]},
            {"collapse", pretrained.value("collapse", "")},
            {"health", pretrained.value("health", Json::object())},
            {"pretrain", run.pretrain_folder.filename().string()},
            {"run", run.whole.hash},
            {"protocol", state.protocol.hash}};
  }

  Experiment experiment_;
  std::map<std::string, RowState> rows_;  // by name
  FinishedRuns finished_runs_;
};

ExperimentRun::ExperimentRun(Experiment experiment, const PluginRegistry& plugins)
    : impl_(std::make_unique<Impl>(std::move(experiment), plugins)) {}
ExperimentRun::~ExperimentRun() = default;

std::vector<PlannedRun> ExperimentRun::plan(const RunOptions& options) const {
  return impl_->plan(options);
}
std::vector<std::string> ExperimentRun::run(
    const RunOptions& options, const std::function<void(const PlannedRun&)>& row_done) {
  return impl_->run(options, row_done);
}
SplitFeatures ExperimentRun::features(const PlannedRun& run, Split split, bool finetuned) const {
  return impl_->features(run, split, finetuned);
}
const Experiment& ExperimentRun::experiment() const { return impl_->experiment(); }
fs::path ExperimentRun::folder() const { return impl_->folder(); }
std::string ExperimentRun::describe(const RunOptions& options, bool probe) const {
  return impl_->describe(options, probe);
}

}  // namespace avbench
