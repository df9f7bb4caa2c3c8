#include "experiment/single_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/writer.h"
#include "experiment/run_folder.h"
#include "io/error.h"
#include "io/folder_lock.h"
#include "stages/features.h"
#include "train/run_layout.h"
#include "train/stored_result.h"

namespace avbench::experiment {
namespace fs = std::filesystem;

bool SingleRun::done(const RunOptions& options) const {
  if (run_.finished || options.test || !options.finetune) return run_.finished;
  return run_.finetuned && stages::chosen_checkpoint(rows_.finetune_job(run_, title_)).has_value();
}

void SingleRun::warn_if_stale() const {
  if (!run_.stale) return;
  spdlog::warn("{}: made by another build of the plugin than the one at hand, and kept", title_);
}

void SingleRun::run(const RunOptions& options, const ResultCache& cache) const {
  if (run_.rebuilt && !options.pretrain) refuse_other_build();
  if (run_.rebuilt) move_older_build_aside();
  warn_if_stale();
  const io::FolderLock lock(run_.folder);
  make_folder(options, cache);
  auto [method, pretrained] = starting_point(options);
  if (!options.finetune && !options.test) return;
  stages::Classifier classifier = rows_.classifier(run_, std::move(method), title_);
  const stages::FinetuneJob job = rows_.finetune_job(run_, title_ + " finetune");
  const stages::FinetuneResult finetuned = ensure_finetuned(job, options, classifier);
  if (!options.test) return;
  const stages::TestResult tested = ensure_tested(job, classifier);
  RunFolder(run_.folder).finish(summarise(pretrained, finetuned, tested));
  cache.add(run_.fingerprint, run_.folder);
  spdlog::info("{}: accuracy {:.2f} %, validation {:.2f} %", title_, 100 * tested.accuracy,
               100 * finetuned.validation);
}

std::optional<report::RunSummary> SingleRun::summary(bool tested) const {
  if (run_.rebuilt) return std::nullopt;
  if (tested) {
    const fs::path file = run_.folder / train::run_layout::kSummary;
    if (!fs::exists(file)) return std::nullopt;
    return io::read_fields<report::RunSummary>(io::read_json(file), file.string());
  }
  if (!run_.finetuned) return std::nullopt;
  std::optional<stages::PretrainResult> pretrained;
  if (!run_.pretrain_folder.empty()) {
    pretrained = train::read_result<stages::PretrainResult>(run_.pretrain_folder /
                                                            train::run_layout::kSummary);
    if (!pretrained) return std::nullopt;
  }
  const auto finetuned =
      train::read_result<stages::FinetuneResult>(run_.folder / train::run_layout::kFinetuneResult);
  if (!finetuned) return std::nullopt;
  return summarise(pretrained, *finetuned, {});
}

SplitFeatures SingleRun::features(data::Split split, bool finetuned) const {
  require_samples(*rows_.of(*run_.row).data.labelled, split, run_.row->protocol.data.source);
  if (run_.rebuilt) refuse_other_build();
  auto [method, pretrained] = starting_point({.pretrain = false});
  stages::Classifier classifier = rows_.classifier(run_, std::move(method), title_);
  const stages::FinetuneJob job = rows_.finetune_job(run_, title_ + " features");
  const data::Dataset& data = *job.data.dataset;
  if (finetuned) {
    const auto chosen = stages::chosen_checkpoint(job);
    if (!chosen) {
      throw io::UserError(title_ + ": not finetuned yet, or its checkpoint is damaged; run " +
                          "`avbench finetune` first");
    }
    tensors::copy_state(chosen->tensors, classifier.state(), chosen->file.string());
  }
  SplitFeatures result{
      stages::extract_features(classifier, job.data, split, job.title), {}, data.classes()};
  for (const data::Sample& sample : data.samples(split)) result.ids.push_back(sample.id);
  return result;
}

void SingleRun::refuse_other_build() const {
  throw io::UserError(fmt::format(
      "{}: {} was made by another build of the plugin. `avbench compare` makes it anew and keeps "
      "the older folder beside it; --set run.on_rebuild=keep goes on with the older results",
      title_, run_.folder.string()));
}

// Work of another build is not lost, and does not pass as this one's.
void SingleRun::move_older_build_aside() const {
  const RunFolder folder(run_.folder);
  { const io::FolderLock idle(run_.folder); }
  const auto build = folder.build_of(rows_.record(run_));
  if (!build) return;
  spdlog::warn(
      "{}: the plugin was built anew, so this is run again; the older results are now "
      "in {} (run.on_rebuild: keep would keep them)",
      title_, folder.move_aside(*build).string());
}

void SingleRun::make_folder(const RunOptions& options, const ResultCache& cache) const {
  const ResolvedRows::Row& state = rows_.of(*run_.row);
  RunFolder(run_.folder)
      .open(rows_.record(run_), config::to_yaml(rows_.experiment()), state.protocol,
            *state.data.labelled, rows_.device());
  if (!options.finetune) return;
  const auto other = cache.find(run_.fingerprint, run_.folder);
  if (!other) return;
  spdlog::info("{}: the same run has finished in {}; its results are copied", title_,
               other->string());
  ResultCache::copy(*other, run_.folder, options.test);
}

SingleRun::Start SingleRun::starting_point(const RunOptions& options) const {
  if (!rows_.of(*run_.row).method || !run_.row->pretrained) {
    return {rows_.fresh_method(*run_.row, run_.seed), std::nullopt};
  }
  const stages::PretrainJob job =
      rows_.pretrain_job(*run_.row, run_.seed, title_ + " pretrain", run_.pretrain_folder);
  auto [result, chosen] = ensure_pretrained(job, options);
  auto method = create_method(job);
  tensors::copy_state(chosen.tensors, tensors::module_state(*method), chosen.file.string());
  return {std::move(method), std::move(result)};
}

std::pair<stages::PretrainResult, train::Checkpoint> SingleRun::ensure_pretrained(
    const stages::PretrainJob& job, const RunOptions& options) const {
  if (auto result =
          train::read_result<stages::PretrainResult>(job.folder / train::run_layout::kSummary)) {
    if (auto chosen = stages::chosen_checkpoint(job, *result)) {
      return {*std::move(result), *std::move(chosen)};
    }
  }
  if (!options.pretrain) {
    throw io::UserError(job.title + ": not pretrained yet, or its result is damaged; run " +
                        "`avbench pretrain` first");
  }
  const io::FolderLock lock(job.folder);
  open_pretraining(job.folder, run_.pretrain, *job.data.dataset, job.data.device);
  stages::PretrainResult result = stages::pretrain(job);
  auto chosen = stages::chosen_checkpoint(job, result);
  if (!chosen) throw std::runtime_error(job.title + ": its checkpoint cannot be read back");
  return {std::move(result), *std::move(chosen)};
}

stages::FinetuneResult SingleRun::ensure_finetuned(const stages::FinetuneJob& job,
                                                   const RunOptions& options,
                                                   stages::Classifier& classifier) const {
  if (const auto result = train::read_result<stages::FinetuneResult>(
          job.folder / train::run_layout::kFinetuneResult)) {
    if (stages::chosen_checkpoint(job)) return *result;
  }
  if (!options.finetune) {
    throw io::UserError(job.title + ": not finetuned yet, or its result is damaged; run " +
                        "`avbench finetune` first");
  }
  return stages::finetune(job, classifier);
}

stages::TestResult SingleRun::ensure_tested(stages::FinetuneJob job,
                                            stages::Classifier& classifier) const {
  if (const auto before =
          train::read_result<stages::TestResult>(run_.folder / train::run_layout::kTestResult)) {
    return *before;
  }
  job.title = title_ + " test";
  return test(job, classifier);
}

report::RunSummary SingleRun::summarise(const std::optional<stages::PretrainResult>& pretrained,
                                        const stages::FinetuneResult& finetuned,
                                        const std::optional<stages::TestResult>& tested) const {
  const ResolvedRows::Row& state = rows_.of(*run_.row);
  const size_t classes = state.data.labelled->classes().size();
  report::RunSummary summary{.row = run_.row->name,
                             .method = run_.row->method.empty() ? "supervised" : run_.row->method,
                             .modality = config::to_word(ResolvedRows::modality(*run_.row)),
                             .seed = run_.seed,
                             .validation = finetuned.validation,
                             .train_accuracy = finetuned.train_accuracy,
                             .finetune_steps = finetuned.steps,
                             .forward_passes = state.forwards,
                             .clips_per_second = finetuned.clips_per_second,
                             .waiting_share = finetuned.waiting_share,
                             .peak_memory_bytes = finetuned.peak_memory_bytes,
                             .seconds = finetuned.seconds,
                             .chance = 1.0 / static_cast<double>(classes),
                             .labels_train = finetuned.labels_train,
                             .labels_validation = finetuned.labels_validation,
                             .pretrain = run_.pretrain_folder.filename().string(),
                             .run = run_.fingerprint.hash,
                             .protocol = state.protocol.hash};
  if (pretrained) {
    summary.clips_per_second = pretrained->clips_per_second;
    summary.waiting_share = pretrained->waiting_share;
    summary.peak_memory_bytes = std::max(summary.peak_memory_bytes, pretrained->peak_memory_bytes);
    summary.seconds += pretrained->seconds;
    summary.clipped_share = pretrained->clipped_share;
    summary.collapse = pretrained->collapse;
    summary.diagnostics = pretrained->diagnostics;
  }
  if (tested) {
    summary.accuracy = tested->accuracy;
    summary.seconds += tested->seconds;
  }
  return summary;
}

}  // namespace avbench::experiment
