#include "stages/finetune.h"

#include <ATen/ATen.h>
#include <spdlog/spdlog.h>
#include <torch/nn/functional/loss.h>

#include <chrono>

#include "data/label_subset.h"
#include "stages/evaluation.h"
#include "stages/finite_check.h"
#include "tensors/seeds.h"
#include "train/loop.h"
#include "train/run_layout.h"
#include "train/stored_result.h"

namespace avbench::stages {
namespace {

std::vector<int64_t> whole_split(const StageLoaders& data, data::Split split) {
  const int64_t size = data.dataset->size(split);
  return spread_indices(size, size);
}

// What chooses the checkpoint.
std::vector<int64_t> held_out(const FinetuneJob& job) {
  return data::label_subset(job.data.dataset->labels(data::Split::kVal),
                            job.protocol.data.validation_fraction, job.seed);
}

class FinetuneTask : public train::TrainTask {
 public:
  FinetuneTask(const FinetuneJob& job, Classifier& classifier)
      : job_(job), config_(job.protocol.finetune), classifier_(classifier) {}

  tensors::StateDict state() override { return classifier_.state(); }
  std::vector<ParamGroup> param_groups() override { return classifier_.param_groups(); }
  void set_training() override { classifier_.set_training(); }

  Loss loss(const data::LoadedBatch& batch, const StepContext&) override {
    const Tensor logits = classifier_.forward(batch.batch).values;
    const Tensor right = logits.detach().argmax(1).eq(batch.labels).to(at::kFloat).mean();
    return {torch::nn::functional::cross_entropy(logits, batch.labels), {{"accuracy", right}}};
  }

  std::string name_of(int64_t index) const override {
    return file_text(*job_.data.dataset, data::Split::kTrain, index);
  }

  train::EpochReport end_epoch(int64_t) override {
    // Frozen towers got their statistics once, before the first step.
    if (!classifier_.frozen()) {
      reestimate_statistics(classifier_, job_.data, job_.protocol.batch_norm);
    }
    const Evaluation validation = evaluate(classifier_, job_.data, data::Split::kVal,
                                           held_out(job_), kOneClip, job_.title + " validation");
    train::EpochReport report;
    report.metrics = {{"validation_accuracy", validation.accuracy},
                      {"validation_loss", validation.loss}};
    report.score = config_.select == config::FinetuneConfig::Select::kLoss ? -validation.loss
                                                                           : validation.accuracy;
    report.plateau = validation.loss;
    return report;
  }

 private:
  const FinetuneJob& job_;
  const config::FinetuneConfig& config_;
  Classifier& classifier_;
};

void load_chosen(const FinetuneJob& job, Classifier& classifier) {
  const bool last = job.protocol.finetune.select == config::FinetuneConfig::Select::kLast;
  const train::Checkpoint chosen =
      train::CheckpointFolder(job.folder / train::run_layout::kCheckpoints)
          .load(last ? "final" : "best");
  tensors::copy_state(chosen.tensors, classifier.state(), chosen.file.string());
}

}  // namespace

std::optional<train::Checkpoint> chosen_checkpoint(const FinetuneJob& job) {
  const auto result =
      train::read_result<FinetuneResult>(job.folder / train::run_layout::kFinetuneResult);
  if (!result) return std::nullopt;
  const train::CheckpointFolder checkpoints(job.folder / train::run_layout::kCheckpoints);
  if (job.protocol.finetune.select == config::FinetuneConfig::Select::kLast)
    return checkpoints.find("final");
  return checkpoints.find_best(result->chosen_epoch);
}

namespace {

std::vector<int64_t> labelled(const FinetuneJob& job) {
  return data::label_subset(job.data.dataset->labels(data::Split::kTrain),
                            job.protocol.data.label_fraction, job.seed);
}

// `count`: labelled samples.
train::StagePlan stage_plan(const FinetuneJob& job, int64_t count) {
  const config::FinetuneConfig& config = job.protocol.finetune;
  const int64_t batch_size = std::min(config.batch_size, count);
  return {.title = job.title,
          .folder = job.folder,
          .seed = tensors::derive_seed(job.seed, "finetune"),
          .epochs = config.epochs,
          .steps_per_epoch = count / batch_size,
          .batch_size = batch_size,
          .clip_norm = config.clip_norm,
          .validate_every = config.validate_every,
          .checkpoint_every = job.run.checkpoint_every,
          .keep_checkpoints = job.run.keep_checkpoints,
          .optimizer = config.optimizer,
          .schedule = config.schedule};
}

train::OpenBatches batches(const FinetuneJob& job, const train::StagePlan& plan,
                           const std::vector<int64_t>& samples) {
  return [&job, &plan, &samples](int64_t first_step, int64_t steps) {
    return open_training(job.data, samples, plan.batch_size, plan.seed, first_step, steps);
  };
}

}  // namespace

FinetuneResult finetune(const FinetuneJob& job, Classifier& classifier) {
  const config::ProtocolConfig& protocol = job.protocol;
  const config::FinetuneConfig& config = protocol.finetune;
  const std::vector<int64_t> samples = labelled(job);
  if (classifier.frozen()) reestimate_statistics(classifier, job.data, protocol.batch_norm);

  FinetuneTask task(job, classifier);
  const train::StagePlan plan = stage_plan(job, static_cast<int64_t>(samples.size()));
  const train::StageResult stage = train::run_stage(task, plan, batches(job, plan, samples));

  const Evaluation fit = evaluate(classifier, job.data, data::Split::kTrain, samples, kOneClip,
                                  job.title + " training labels");
  load_chosen(job, classifier);
  const std::vector<int64_t> chosen_on = held_out(job);
  const Evaluation validation = evaluate(classifier, job.data, data::Split::kVal, chosen_on,
                                         kOneClip, job.title + " validation");
  const FinetuneResult result{.steps = stage.steps,
                              .seconds = stage.seconds,
                              .clips_per_second = stage.clips_per_second,
                              .waiting_share = stage.waiting_share,
                              .peak_memory_bytes = stage.peak_memory_bytes,
                              .validation = validation.accuracy,
                              .chosen_epoch = config.select == config::FinetuneConfig::Select::kLast
                                                  ? config.epochs
                                                  : stage.best_epoch,
                              .train_accuracy = fit.accuracy,
                              .labels_train = static_cast<int64_t>(samples.size()),
                              .labels_validation = static_cast<int64_t>(chosen_on.size())};
  io::write_json(job.folder / train::run_layout::kFinetuneResult, io::write_fields(result));
  return result;
}

train::StepCost probe_finetuning(const FinetuneJob& job, Classifier& classifier) {
  const std::vector<int64_t> samples = labelled(job);
  FinetuneTask task(job, classifier);
  const train::StagePlan plan = stage_plan(job, static_cast<int64_t>(samples.size()));
  return train::probe_stage(task, plan, batches(job, plan, samples));
}

TestResult test(const FinetuneJob& job, Classifier& classifier) {
  const auto begin = std::chrono::steady_clock::now();
  load_chosen(job, classifier);
  const Evaluation evaluation =
      evaluate(classifier, job.data, data::Split::kTest, whole_split(job.data, data::Split::kTest),
               job.protocol.test, job.title, /*show_progress=*/true);
  write_predictions(evaluation, *job.data.dataset, data::Split::kTest, job.folder);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const TestResult result{.accuracy = evaluation.accuracy,
                          .loss = evaluation.loss,
                          .videos = evaluation.labels.size(0),
                          .clips = job.protocol.test.clips,
                          .seconds = seconds.count()};
  io::write_json(job.folder / train::run_layout::kTestResult, io::write_fields(result));
  return result;
}

}  // namespace avbench::stages
