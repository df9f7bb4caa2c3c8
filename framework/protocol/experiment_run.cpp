#include "protocol/experiment_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "config/writer.h"
#include "data/label_subset.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/folder_lock.h"
#include "io/sha256.h"
#include "io/suggest.h"
#include "plugin/failure.h"
#include "protocol/features.h"
#include "protocol/finetune.h"
#include "protocol/initial_towers.h"
#include "protocol/pretrain.h"
#include "protocol/run_folder.h"
#include "train/interrupt.h"
#include "train/progress.h"
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
  for (const auto& [name, value] : params.values()) {
    std::visit([&](const auto& v) { json[name] = v; }, value);
  }
  return json;
}

std::shared_ptr<const Dataset> open_dataset(const std::string& source, const Experiment& e) {
  DataConfig config = e.protocol.data;
  config.source = source;
  spdlog::info("opening data set {}", source);
  std::unique_ptr<Progress> progress;
  return Dataset::open(config, e.protocol.clip, e.protocol.spectrogram, e.run,
                       [&](int64_t done, int64_t total) {
                         check_interrupt("reading the data set");
                         if (!progress) progress = std::make_unique<Progress>("reading", total);
                         progress->update(done);
                       });
}

void require_samples(const Dataset& data, Split split, const std::string& source) {
  if (data.size(split) > 0) return;
  throw UserError(
      fmt::format("{}: the split '{}' has no file that can serve ({} excluded). See "
                  "`avbench dataset index {}`.",
                  source, to_string(split), data.excluded().size(), source));
}

// A file, or a part of one, must not be trained on and measured with.
void require_no_leak(const Dataset& training, const Dataset& data, const std::string& source) {
  const auto key = [](const Sample& sample) {
    return std::pair(fs::weakly_canonical(sample.path), sample.segment);
  };
  std::set<std::pair<fs::path, std::pair<double, double>>> held_out;
  for (const Split split : {Split::kVal, Split::kTest}) {
    for (const Sample& sample : data.samples(split)) held_out.insert(key(sample));
  }
  for (const Sample& sample : training.samples(Split::kTrain)) {
    if (!held_out.contains(key(sample))) continue;
    throw UserError(
        fmt::format("{}: {} is in the training split, but also held out for "
                    "validation or test in protocol.data.source",
                    source, sample.path.string()));
  }
}

}  // namespace

class ExperimentRun::Impl {
 public:
  Impl(Experiment experiment, const PluginRegistry& plugins) : experiment_(std::move(experiment)) {
    for (const RowConfig& row : experiment_.rows) {
      if (row.method.empty()) continue;
      const LoadedPlugin& loaded = plugins.find(row.method);
      methods_.emplace(
          row.name, MethodOfRow{loaded, Params::resolve(loaded.record->name, loaded.record->params,
                                                        param_inputs(row.params))});
    }
    const DataConfig& data = experiment_.protocol.data;
    data_ = open_dataset(data.source, experiment_);
    const bool same = data.pretrain_source.empty() || data.pretrain_source == data.source;
    pretrain_data_ = same ? data_ : open_dataset(data.pretrain_source, experiment_);
    for (const Split split : {Split::kTrain, Split::kVal, Split::kTest}) {
      require_samples(*data_, split, data.source);
    }
    require_samples(*pretrain_data_, Split::kTrain, data.pretrain_source);
    require_no_leak(*data_, *data_, data.source);
    if (!same) require_no_leak(*pretrain_data_, *data_, data.pretrain_source);
    require_working_rows();
    init_hash_ = init_hash(experiment_.protocol.encoder);
    protocol_ = protocol_identity(experiment_, init_hash_, *data_, *pretrain_data_);
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

  std::string describe(const RunOptions& options) const {
    const ProtocolConfig& p = experiment_.protocol;
    const int64_t samples = pretrain_data_->size(Split::kTrain);
    const int64_t labels = static_cast<int64_t>(
        label_subset(data_->labels(Split::kTrain), p.data.label_fraction, experiment_.seeds.front())
            .size());
    const int64_t pretrain_steps =
        p.pretrain.epochs * (samples / std::min(p.pretrain.batch_size, samples));
    const int64_t finetune_steps =
        p.finetune.epochs * (labels / std::min(p.finetune.batch_size, labels));
    std::string text = fmt::format(
        "protocol {}\nfiles: pretraining {}, training {} ({} labelled), validation {}, test {}; "
        "excluded {}\n",
        protocol_.hash, samples, data_->size(Split::kTrain), labels, data_->size(Split::kVal),
        data_->size(Split::kTest), data_->excluded().size());
    std::vector<std::string> counted;
    for (const PlannedRun& run : plan(options)) {
      text += fmt::format("{} s{}: ", run.row->name, run.seed);
      if (run.finished) {
        text += "finished\n";
        continue;
      }
      if (!run.pretrain.hash.empty()) {
        const bool shared = std::count(counted.begin(), counted.end(), run.pretrain.hash) > 0;
        text += run.pretrained ? "pretrained; "
                : shared       ? "shares a pretraining above; "
                               : fmt::format("pretrain {} steps; ", pretrain_steps);
        counted.push_back(run.pretrain.hash);
      }
      text += fmt::format("finetune {} steps; test {} clips\n", finetune_steps,
                          data_->size(Split::kTest) * views_of(p.test));
    }
    return text;
  }

  SplitFeatures features(const PlannedRun& run, Split split, bool finetuned) {
    const std::string title = fmt::format("{} s{}", run.row->name, run.seed);
    auto [method, pretrained] = starting_point(run, {.pretrain = false}, title);
    Classifier classifier = make_classifier(run, std::move(method));
    const FinetuneJob job = finetune_job(run, title + " features");
    if (finetuned) {
      const auto chosen = chosen_checkpoint(job);
      if (!chosen) {
        throw UserError(title + ": not finetuned yet, or its checkpoint is damaged; run " +
                        "`avbench finetune` first");
      }
      copy_state(chosen->tensors, classifier.state(), chosen->file.string());
    }
    SplitFeatures result{
        extract_features(classifier, job.data, split, job.title), {}, data_->classes()};
    for (const Sample& sample : data_->samples(split)) result.ids.push_back(sample.id);
    return result;
  }

  const Experiment& experiment() const { return experiment_; }
  const Identity& protocol() const { return protocol_; }
  fs::path folder() const { return fs::path(experiment_.run.results) / experiment_.name; }

 private:
  struct MethodOfRow {
    LoadedPlugin plugin;
    Params params;
  };

  // Every method is created once, and the towers see one clip, so that what a plugin or an encoder
  // refuses is refused now and not hours later.
  void require_working_rows() {
    const ProtocolConfig& p = experiment_.protocol;
    const auto towers = initial_towers(p.encoder, 0, p.spectrogram.channels);
    towers->eval();
    const at::NoGradGuard no_grad;
    Batch batch;
    batch.video[kBaseView] = at::zeros({1, 3, p.clip.frames, p.clip.crop, p.clip.crop});
    batch.audio[kBaseView] =
        at::zeros({1, p.spectrogram.channels, 1, p.spectrogram.crop, p.spectrogram.crop});
    towers->forward(batch);
    for (const RowConfig& row : experiment_.rows) {
      if (const auto found = methods_.find(row.name); found != methods_.end()) {
        const std::string title = "row '" + row.name + "'";
        create_method(pretrain_job(row, found->second, experiment_.seeds.front(), title, {}));
      }
    }
  }

  PretrainJob pretrain_job(const RowConfig& row, const MethodOfRow& method, int64_t seed,
                           const std::string& title, const fs::path& folder) const {
    const LoadedPlugin& loaded = method.plugin;
    const Params& params = method.params;
    Views views = call_plugin(loaded, "views", title, [&] { return loaded.record->views(params); });
    return {title,
            folder,
            experiment_,
            row,
            loaded,
            params,
            static_cast<uint64_t>(seed),
            stage_data(pretrain_data_, std::move(views)),
            stage_data(data_, base_views())};
  }

  PlannedRun plan_one(const RowConfig& row, int64_t seed) const {
    PlannedRun run{.row = &row, .seed = seed};
    run.folder = folder() / fmt::format("{}-s{}", row.name, seed);
    if (const auto method = methods_.find(row.name); method != methods_.end()) {
      run.pretrain =
          pretrain_identity(experiment_, init_hash_, row, params_json(method->second.params), seed,
                            *data_, *pretrain_data_);
      run.pretrain_folder =
          fs::path(experiment_.run.results) / "pretrain" / pretrain_folder_name(run.pretrain.hash);
      run.pretrained = fs::exists(run.pretrain_folder / "summary.json");
    }
    run.finished = RunFolder(run.folder).finished(run_record(run));
    return run;
  }

  // What a run folder must have been made with to be continued.
  Json run_record(const PlannedRun& run) const {
    return {{"row", run.row->name},
            {"seed", run.seed},
            {"modality", modality(*run.row)},
            {"method", run.row->method},
            {"pretrain", run.pretrain.content},
            {"protocol", protocol_.content}};
  }

  static std::string modality(const RowConfig& row) {
    return row.baseline.empty() ? row.modality : row.baseline;
  }

  StageData stage_data(const std::shared_ptr<const Dataset>& dataset, Views views) const {
    return {dataset, std::move(views), static_cast<int>(experiment_.run.workers),
            experiment_.protocol.pretrain.batch_size};
  }

  void run_one(const PlannedRun& run, const RunOptions& options, const std::string& title) {
    const FolderLock lock(run.folder);
    RunFolder folder(run.folder);
    folder.open(run_record(run), to_yaml(experiment_), protocol_, *data_);
    auto [method, pretrained] = starting_point(run, options, title);
    if (!options.finetune && !options.test) return;
    Classifier classifier = make_classifier(run, std::move(method));
    const FinetuneJob job = finetune_job(run, title + " finetune");
    const Json finetuned = ensure_finetuned(job, options, classifier);
    if (!options.test) return;
    FinetuneJob test_job = job;
    test_job.title = title + " test";
    auto tested_before = read_result(run.folder / "test.json");
    const Json tested = tested_before ? *std::move(tested_before) : test(test_job, classifier);
    folder.finish(summary(run, pretrained, finetuned, tested));
    spdlog::info("{}: accuracy {:.2f} %, validation {:.2f} %", title,
                 100 * tested["accuracy"].get<double>(),
                 100 * finetuned["validation"].get<double>());
  }

  // What finetuning starts from: the method as pretrained, with the summary of that, or random
  // towers and an empty object.
  std::pair<std::shared_ptr<Method>, Json> starting_point(const PlannedRun& run,
                                                          const RunOptions& options,
                                                          const std::string& title) {
    const auto found = methods_.find(run.row->name);
    if (found == methods_.end()) {
      const uint64_t seed = derive_seed(static_cast<uint64_t>(run.seed), "towers");
      const ProtocolConfig& p = experiment_.protocol;
      return {make_baseline(initial_towers(p.encoder, seed, p.spectrogram.channels)),
              Json::object()};
    }
    const PretrainJob job =
        pretrain_job(*run.row, found->second, run.seed, title + " pretrain", run.pretrain_folder);
    const Pretrained pretrained = ensure_pretrained(run, job, found->second.plugin, options);
    auto method = create_method(job);
    copy_state(pretrained.chosen.tensors, module_state(*method), pretrained.chosen.file.string());
    return {std::move(method), pretrained.summary};
  }

  Classifier make_classifier(const PlannedRun& run, std::shared_ptr<Method> method) const {
    return {std::move(method), modality(*run.row), experiment_.protocol.finetune,
            static_cast<int64_t>(data_->classes().size()),
            derive_seed(static_cast<uint64_t>(run.seed), "classifier")};
  }

  FinetuneJob finetune_job(const PlannedRun& run, const std::string& title) const {
    return {title, run.folder, experiment_, static_cast<uint64_t>(run.seed),
            stage_data(data_, modality_views(modality(*run.row)))};
  }

  struct Pretrained {
    Json summary = Json::object();
    Checkpoint chosen;
  };

  Pretrained ensure_pretrained(const PlannedRun& run, const PretrainJob& job,
                               const LoadedPlugin& plugin, const RunOptions& options) {
    const fs::path done = job.folder / "summary.json", code = job.folder / "plugin.sha256";
    const std::string hash = sha256_file(plugin.file);
    if (fs::exists(code) && read_file(code) != hash) {
      spdlog::warn(
          "{}: {} was built anew since this pretraining was made in {}; remove that folder "
          "if the loss has changed",
          job.title, plugin.file.string(), job.folder.string());
    }
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
    write_file_atomically(job.folder / "excluded.csv", excluded_csv(*pretrain_data_));
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
            {"clips_per_second", speed["clips_per_second"]},
            {"peak_memory_bytes", std::max(speed["peak_memory_bytes"].get<int64_t>(),
                                           finetuned["peak_memory_bytes"].get<int64_t>())},
            {"seconds", seconds},
            {"chance", 1.0 / static_cast<double>(data_->classes().size())},
            {"labels_train", finetuned["labels_train"]},
            {"labels_validation", finetuned["labels_validation"]},
            {"collapse", pretrained.value("collapse", "")},
            {"health", pretrained.value("health", Json::object())},
            {"pretrain", run.pretrain_folder.filename().string()},
            {"protocol", protocol_.hash}};
  }

  Experiment experiment_;
  std::map<std::string, MethodOfRow> methods_;  // by row
  std::shared_ptr<const Dataset> data_, pretrain_data_;
  std::string init_hash_;  // of protocol.encoder.init
  Identity protocol_;
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
const Identity& ExperimentRun::protocol() const { return impl_->protocol(); }
fs::path ExperimentRun::folder() const { return impl_->folder(); }
std::string ExperimentRun::describe(const RunOptions& options) const {
  return impl_->describe(options);
}

}  // namespace avbench
