#include "stages/pretrain.h"

#include <ATen/ATen.h>
#include <spdlog/spdlog.h>

#include <type_traits>

#include "avbench/losses.h"
#include "data/label_subset.h"
#include "device/place.h"
#include "plugin/failure.h"
#include "runtime/interrupt.h"
#include "stages/embedding_metrics.h"
#include "stages/finite_check.h"
#include "stages/initial_towers.h"
#include "stages/knn.h"
#include "stages/shuffled_pairs.h"
#include "tensors/seeds.h"
#include "train/run_layout.h"

namespace avbench::stages {
namespace {

class PretrainTask : public train::TrainTask {
 public:
  PretrainTask(const PretrainJob& job, std::shared_ptr<Method> method)
      : job_(job), method_(std::move(method)) {}

  tensors::StateDict state() override { return tensors::module_state(*method_); }
  std::vector<ParamGroup> param_groups() override {
    return call("param_groups", [&] { return method_->param_groups(Stage::kPretrain); });
  }
  void set_training() override { method_->train(); }

  Loss loss(const data::LoadedBatch& batch, const StepContext& context) override {
    return call("loss", [&] {
      Loss loss = method_->loss(paired(batch.batch), context);
      plugin::require_scalar(loss);
      return loss;
    });
  }

  void before_epoch(const EpochContext& context) override {
    method_->eval();
    const BatchSource samples = [this](const std::function<void(const Batch&)>& visit) {
      const int64_t size = job_.data.dataset->size(data::Split::kTrain);
      for_each_evaluation_batch(
          job_.data, data::Split::kTrain, spread_indices(size, size), kOneClip,
          "visiting the training split",
          [&](const data::LoadedBatch& batch) { visit(paired(batch.batch)); });
    };
    call("before_epoch", [&] { method_->before_epoch(context, samples); });
  }
  void after_backward(const StepContext& context) override {
    call("after_backward", [&] { method_->after_backward(context); });
  }
  void after_step(const StepContext& context) override {
    call("after_step", [&] { method_->after_step(context); });
  }

  std::string name_of(int64_t index) const override {
    return file_text(*job_.data.dataset, data::Split::kTrain, index);
  }

  train::EpochReport end_epoch(int64_t epoch) override {
    const at::NoGradGuard no_grad;
    const Features features = validation_features();
    const Diagnostics own = call("diagnostics", [&] { return method_->diagnostics(features); });
    const auto [video, audio] = call("embed", [&] { return method_->embed(features); });
    const EmbeddingMetrics space = embedding_metrics(video, audio);
    train::EpochReport report;
    for (const auto& [name, value] : space.metrics) report.metrics["diagnostics"][name] = value;
    for (const auto& [name, value] : own.metrics) report.metrics["diagnostics"][name] = value;
    const std::string& collapse = own.collapse.empty() ? space.collapse : own.collapse;
    report.metrics["collapse"] = collapse;
    if (!collapse.empty() && collapse_.empty()) {
      spdlog::warn("{}: looks collapsed after epoch {}: {}", job_.title, epoch, collapse);
    } else if (collapse.empty() && !collapse_.empty()) {
      spdlog::info("{}: has recovered after epoch {}", job_.title, epoch);
    }
    collapse_ = collapse;
    if (job_.row.protocol.pretrain.select == config::PretrainConfig::Select::kKnn) {
      report.score = neighbour_accuracy();
      report.metrics["validation_knn"] = *report.score;
    }
    return report;
  }

 private:
  // With the sample's own audio, or with another's: everything that pretraining shows a method.
  Batch paired(const Batch& batch) const {
    const bool shuffled =
        job_.row.protocol.pretrain.pairs == config::PretrainConfig::Pairs::kShuffled;
    return shuffled ? with_other_audio(batch) : batch;
  }

  // A method's failure, with its origin; an interruption while it visits samples is none.
  template <class F>
  std::invoke_result_t<F> call(const char* function, F function_call) const {
    try {
      return function_call();
    } catch (const runtime::Interrupted&) {
      throw;
    } catch (...) {
      plugin::rethrow_with_origin(job_.plugin, function, job_.title);
    }
  }

  Features validation_features() {
    method_->eval();
    std::vector<Tensor> video, audio;
    const auto split =
        job_.data.dataset->size(data::Split::kVal) > 0 ? data::Split::kVal : data::Split::kTrain;
    const auto indices = spread_indices(job_.data.dataset->size(split), kDiagnosticSamples);
    StageLoaders data = job_.data;
    data.views = base_views();
    for_each_evaluation_batch(data, split, indices, kOneClip, "computing diagnostics",
                              [&](const data::LoadedBatch& batch) {
                                const Features f = method_->towers().forward(batch.batch);
                                video.push_back(f.video.pooled);
                                audio.push_back(f.audio.pooled);
                              });
    Features features;
    features.video.pooled = at::cat(video);
    features.audio.pooled = at::cat(audio);
    return features;
  }

  double neighbour_accuracy() {
    const data::Dataset& data = *job_.labelled.dataset;
    const auto known = data::label_subset(data.labels(data::Split::kTrain),
                                          job_.row.protocol.data.label_fraction, job_.seed);
    const auto held_out = data::label_subset(data.labels(data::Split::kVal),
                                             job_.row.protocol.data.validation_fraction, job_.seed);
    const auto [bank, labels] = tower_features(data::Split::kTrain, known);
    const auto [queries, truth] = tower_features(data::Split::kVal, held_out);
    return knn_classify(bank, labels, queries).eq(truth).to(at::kDouble).mean().item<double>();
  }

  // Both modalities with equal weight, [N, 2D], and the labels.
  std::pair<Tensor, Tensor> tower_features(data::Split split, const std::vector<int64_t>& indices) {
    Towers& towers = *call("evaluation_towers", [&] { return &method_->evaluation_towers(); });
    towers.eval();
    std::vector<Tensor> features, labels;
    FiniteCheck check(job_.labelled, split, job_.title + " choosing by neighbours", "features");
    for_each_evaluation_batch(
        job_.labelled, split, indices, kOneClip, "choosing by neighbours",
        [&](const data::LoadedBatch& batch) {
          const Features f = towers.forward(batch.batch);
          features.push_back(
              at::cat({l2_normalize(f.video.pooled), l2_normalize(f.audio.pooled)}, 1));
          check.add(batch, features.back());
          labels.push_back(batch.labels.clone());
        });
    check.require_all();
    return {at::cat(features), at::cat(labels)};
  }

  const PretrainJob& job_;
  std::shared_ptr<Method> method_;
  std::string collapse_;
};

}  // namespace

std::shared_ptr<Method> create_method(const PretrainJob& job) {
  const uint64_t head_seed = tensors::derive_seed(job.seed, "heads");
  MethodContext context{
      .towers = initial_towers(job.row.protocol.encoder, tensors::derive_seed(job.seed, "towers"),
                               job.row.protocol.spectrogram.channels),
      .params = job.params,
      .train_size = job.data.dataset->size(data::Split::kTrain),
      .head_seed = head_seed};
  tensors::seed_default_generator(head_seed);
  auto method = plugin::construct_method(job.plugin, context, job.title);
  device::place(*method, job.data.device);
  return method;
}

namespace {

int64_t batch_size(const PretrainJob& job) {
  return std::min(job.row.protocol.pretrain.batch_size,
                  job.data.dataset->size(data::Split::kTrain));
}

train::StagePlan stage_plan(const PretrainJob& job) {
  const config::PretrainConfig& budget = job.row.protocol.pretrain;
  return {.title = job.title,
          .folder = job.folder,
          .seed = tensors::derive_seed(job.seed, "pretrain"),
          .epochs = budget.epochs,
          .steps_per_epoch = job.data.dataset->size(data::Split::kTrain) / batch_size(job),
          .batch_size = batch_size(job),
          .clip_norm = budget.clip_norm,
          .validate_every = budget.validate_every,
          .checkpoint_every = job.run.checkpoint_every,
          .keep_checkpoints = job.run.keep_checkpoints,
          .optimizer = job.row.pretrain.optimizer,
          .schedule = job.row.pretrain.schedule};
}

train::OpenBatches batches(const PretrainJob& job, const train::StagePlan& plan) {
  return [&job, &plan](int64_t first_step, int64_t count) {
    const int64_t samples = job.data.dataset->size(data::Split::kTrain);
    return open_training(job.data, spread_indices(samples, samples), plan.batch_size, plan.seed,
                         first_step, count);
  };
}

}  // namespace

PretrainResult pretrain(const PretrainJob& job) {
  PretrainTask task(job, create_method(job));
  const train::StagePlan plan = stage_plan(job);
  const train::StageResult stage = train::run_stage(task, plan, batches(job, plan));
  PretrainResult result{.steps = stage.steps,
                        .seconds = stage.seconds,
                        .clips_per_second = stage.clips_per_second,
                        .waiting_share = stage.waiting_share,
                        .peak_memory_bytes = stage.peak_memory_bytes,
                        .chosen_epoch = stage.best_score ? stage.best_epoch : plan.epochs,
                        .clipped_share = stage.clipped_share,
                        .collapse = stage.last_report.value("collapse", ""),
                        .diagnostics = stage.last_report.value("diagnostics", io::Json::object())};
  io::write_json(job.folder / train::run_layout::kSummary, io::write_fields(result));
  return result;
}

std::optional<train::Checkpoint> chosen_checkpoint(const PretrainJob& job,
                                                   const PretrainResult& result) {
  const train::CheckpointFolder checkpoints(job.folder / train::run_layout::kCheckpoints);
  const config::PretrainConfig& budget = job.row.protocol.pretrain;
  if (budget.select == config::PretrainConfig::Select::kLast || budget.epochs == 0)
    return checkpoints.find("final");
  return checkpoints.find_best(result.chosen_epoch);
}

train::StepCost probe_pretraining(const PretrainJob& job) {
  PretrainTask task(job, create_method(job));
  const train::StagePlan plan = stage_plan(job);
  return train::probe_stage(task, plan, batches(job, plan));
}

}  // namespace avbench::stages
