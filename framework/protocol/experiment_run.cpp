#include "protocol/experiment_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/writer.h"
#include "io/atomic_file.h"
#include "io/error.h"
#include "io/folder_lock.h"
#include "protocol/dry_run.h"
#include "protocol/environment.h"
#include "protocol/evaluation.h"
#include "protocol/experiment_rows.h"
#include "protocol/features.h"
#include "protocol/finished_runs.h"
#include "protocol/run_folder.h"
#include "train/interrupt.h"

namespace avbench {
namespace fs = std::filesystem;

class ExperimentRun::Impl {
 public:
  Impl(Experiment experiment, const PluginRegistry& plugins, bool tested)
      : rows_(std::move(experiment), plugins, tested),
        finished_runs_(rows_.experiment().run.results) {}

  const ExperimentRows& rows() const { return rows_; }

  std::string describe(const RunOptions& options, bool probe) const {
    return describe_plan(rows_, finished_runs_, options, probe);
  }

  std::vector<std::string> run(const RunOptions& options,
                               const std::function<void(const PlannedRun&)>& row_done) {
    const auto runs = rows_.plan(options);
    std::vector<std::string> failures;
    for (size_t i = 0; i < runs.size(); ++i) {
      const std::string title =
          fmt::format("[{}/{}] {} s{}", i + 1, runs.size(), runs[i].row->name, runs[i].seed);
      if (done(runs[i], options, title)) {
        spdlog::info("{}: already finished", title);
        if (runs[i].stale) warn_of_older_build(title);
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

  std::optional<RunSummary> summary(const PlannedRun& run, bool tested) const {
    if (run.rebuilt) return std::nullopt;
    if (tested) {
      const fs::path file = run.folder / "summary.json";
      if (!fs::exists(file)) return std::nullopt;
      return read_fields<RunSummary>(read_json(file), file.string());
    }
    if (!run.finetuned) return std::nullopt;
    std::optional<PretrainResult> pretrained;
    if (!run.pretrain_folder.empty()) {
      pretrained = read_result<PretrainResult>(run.pretrain_folder / "summary.json");
      if (!pretrained) return std::nullopt;
    }
    const auto finetuned = read_result<FinetuneResult>(run.folder / "finetune.json");
    if (!finetuned) return std::nullopt;
    return summary(run, pretrained, *finetuned, {});
  }

  SplitFeatures features(const PlannedRun& run, Split split, bool finetuned) {
    require_samples(*rows_.of(*run.row).data.labelled, split, run.row->protocol.data.source);
    const std::string title = fmt::format("{} s{}", run.row->name, run.seed);
    if (run.rebuilt) refuse_other_build(run, title);
    auto [method, pretrained] = starting_point(run, {.pretrain = false}, title);
    Classifier classifier = rows_.classifier(run, std::move(method), title);
    const FinetuneJob job = rows_.finetune_job(run, title + " features");
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

 private:
  // A test stands for what came before it. Without one, what it would need must be there.
  bool done(const PlannedRun& run, const RunOptions& options, const std::string& title) const {
    if (run.finished || options.test || !options.finetune) return run.finished;
    return run.finetuned && chosen_checkpoint(rows_.finetune_job(run, title)).has_value();
  }

  static void warn_of_older_build(const std::string& title) {
    spdlog::warn("{}: made by another build of the plugin than the one at hand, and kept", title);
  }

  [[noreturn]] static void refuse_other_build(const PlannedRun& run, const std::string& title) {
    throw UserError(fmt::format(
        "{}: {} was made by another build of the plugin. `avbench compare` makes it anew and keeps "
        "the older folder beside it; --set run.on_rebuild=keep goes on with the older results",
        title, run.folder.string()));
  }

  // Work of another build is not lost, and does not pass as this one's.
  void move_older_build_aside(const PlannedRun& run, const std::string& title) const {
    const RunFolder folder(run.folder);
    { const FolderLock idle(run.folder); }
    const auto build = folder.build_of(rows_.record(run));
    if (!build) return;
    spdlog::warn(
        "{}: the plugin was built anew, so this is run again; the older results are now "
        "in {} (run.on_rebuild: keep would keep them)",
        title, folder.move_aside(*build).string());
  }

  void run_one(const PlannedRun& run, const RunOptions& options, const std::string& title) {
    if (run.rebuilt && !options.pretrain) refuse_other_build(run, title);
    if (run.rebuilt) move_older_build_aside(run, title);
    if (run.stale) warn_of_older_build(title);
    const FolderLock lock(run.folder);
    RunFolder folder(run.folder);
    const ExperimentRows::Row& state = rows_.of(*run.row);
    folder.open(rows_.record(run), to_yaml(rows_.experiment()), state.protocol, state.varied,
                *state.data.labelled);
    if (options.finetune) {
      if (const auto other = finished_runs_.find(run.whole, run.folder)) {
        spdlog::info("{}: the same run has finished in {}; its results are copied", title,
                     other->string());
        FinishedRuns::copy(*other, run.folder, options.test);
      }
    }
    auto [method, pretrained] = starting_point(run, options, title);
    if (!options.finetune && !options.test) return;
    Classifier classifier = rows_.classifier(run, std::move(method), title);
    const FinetuneJob job = rows_.finetune_job(run, title + " finetune");
    const FinetuneResult finetuned = ensure_finetuned(job, options, classifier);
    if (!options.test) return;
    FinetuneJob test_job = job;
    test_job.title = title + " test";
    const auto tested_before = read_result<TestResult>(run.folder / "test.json");
    const TestResult tested = tested_before ? *tested_before : test(test_job, classifier);
    folder.finish(summary(run, pretrained, finetuned, tested));
    finished_runs_.add(run.whole, run.folder);
    spdlog::info("{}: accuracy {:.2f} %, validation {:.2f} %", title, 100 * tested.accuracy,
                 100 * finetuned.validation);
  }

  // What finetuning starts from: the method as pretrained, with the result of that, or random
  // towers.
  std::pair<std::shared_ptr<Method>, std::optional<PretrainResult>> starting_point(
      const PlannedRun& run, const RunOptions& options, const std::string& title) {
    const ExperimentRows::Row& state = rows_.of(*run.row);
    if (!state.method || !run.row->pretrained) {
      return {rows_.fresh_method(*run.row, run.seed), std::nullopt};
    }
    const PretrainJob job =
        rows_.pretrain_job(*run.row, run.seed, title + " pretrain", run.pretrain_folder);
    const Pretrained pretrained = ensure_pretrained(run, job, options);
    auto method = create_method(job);
    copy_state(pretrained.chosen.tensors, module_state(*method), pretrained.chosen.file.string());
    return {std::move(method), pretrained.result};
  }

  struct Pretrained {
    PretrainResult result;
    Checkpoint chosen;
  };

  Pretrained ensure_pretrained(const PlannedRun& run, const PretrainJob& job,
                               const RunOptions& options) {
    const fs::path done = job.folder / "summary.json";
    if (auto result = read_result<PretrainResult>(done)) {
      if (auto chosen = chosen_checkpoint(job, *result)) {
        return {*std::move(result), *std::move(chosen)};
      }
    }
    if (!options.pretrain) {
      throw UserError(job.title + ": not pretrained yet, or its result is damaged; run " +
                      "`avbench pretrain` first");
    }
    const FolderLock lock(job.folder);
    write_file_atomically(job.folder / "identity.json", run.pretrain.content.dump(1) + "\n");
    write_file_atomically(job.folder / "environment.json", environment().dump(1) + "\n");
    write_file_lists(*job.data.dataset, job.folder);
    PretrainResult result = pretrain(job);
    auto chosen = chosen_checkpoint(job, result);
    if (!chosen) throw std::runtime_error(job.title + ": its checkpoint cannot be read back");
    return {std::move(result), *std::move(chosen)};
  }

  FinetuneResult ensure_finetuned(const FinetuneJob& job, const RunOptions& options,
                                  Classifier& classifier) {
    if (const auto result = read_result<FinetuneResult>(job.folder / "finetune.json")) {
      if (chosen_checkpoint(job)) return *result;
    }
    if (!options.finetune) {
      throw UserError(job.title + ": not finetuned yet, or its result is damaged; run " +
                      "`avbench finetune` first");
    }
    return finetune(job, classifier);
  }

  RunSummary summary(const PlannedRun& run, const std::optional<PretrainResult>& pretrained,
                     const FinetuneResult& finetuned,
                     const std::optional<TestResult>& tested) const {
    const ExperimentRows::Row& state = rows_.of(*run.row);
    const size_t classes = state.data.labelled->classes().size();
    RunSummary summary{.row = run.row->name,
                       .method = run.row->method.empty() ? "supervised" : run.row->method,
                       .modality = ExperimentRows::modality(*run.row),
                       .seed = run.seed,
                       .validation = finetuned.validation,
                       .train_accuracy = finetuned.train_accuracy,
                       .finetune_steps = finetuned.steps,
                       .encoder_forwards = state.forwards,
                       .clips_per_second = finetuned.clips_per_second,
                       .waiting_share = finetuned.waiting_share,
                       .peak_memory_bytes = finetuned.peak_memory_bytes,
                       .seconds = finetuned.seconds,
                       .chance = 1.0 / static_cast<double>(classes),
                       .labels_train = finetuned.labels_train,
                       .labels_validation = finetuned.labels_validation,
                       .pretrain = run.pretrain_folder.filename().string(),
                       .run = run.whole.hash,
                       .protocol = state.protocol.hash};
    if (pretrained) {
      summary.clips_per_second = pretrained->clips_per_second;
      summary.waiting_share = pretrained->waiting_share;
      summary.peak_memory_bytes =
          std::max(summary.peak_memory_bytes, pretrained->peak_memory_bytes);
      summary.seconds += pretrained->seconds;
      summary.clipped_share = pretrained->clipped_share;
      summary.collapse = pretrained->collapse;
      summary.health = pretrained->health;
    }
    if (tested) {
      summary.accuracy = tested->accuracy;
      summary.seconds += tested->seconds;
    }
    return summary;
  }

  ExperimentRows rows_;
  FinishedRuns finished_runs_;
};

ExperimentRun::ExperimentRun(Experiment experiment, const PluginRegistry& plugins, bool tested)
    : impl_(std::make_unique<Impl>(std::move(experiment), plugins, tested)) {}
ExperimentRun::~ExperimentRun() = default;

std::vector<PlannedRun> ExperimentRun::plan(const RunOptions& options) const {
  return impl_->rows().plan(options);
}
std::vector<std::string> ExperimentRun::run(
    const RunOptions& options, const std::function<void(const PlannedRun&)>& row_done) {
  return impl_->run(options, row_done);
}
std::optional<RunSummary> ExperimentRun::summary(const PlannedRun& run, bool tested) const {
  return impl_->summary(run, tested);
}
SplitFeatures ExperimentRun::features(const PlannedRun& run, Split split, bool finetuned) const {
  return impl_->features(run, split, finetuned);
}
const Experiment& ExperimentRun::experiment() const { return impl_->rows().experiment(); }
fs::path ExperimentRun::folder() const { return impl_->rows().folder(); }
std::string ExperimentRun::describe(const RunOptions& options, bool probe) const {
  return impl_->describe(options, probe);
}

}  // namespace avbench
