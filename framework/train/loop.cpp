#include "train/loop.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "runtime/interrupt.h"
#include "runtime/peak_memory.h"
#include "runtime/progress.h"
#include "runtime/trace.h"
#include "tensors/seeds.h"
#include "train/loop_state.h"
#include "train/metrics_log.h"
#include "train/non_finite.h"
#include "train/optimizer.h"
#include "train/run_layout.h"
#include "train/schedule.h"
#include "train/stage_checkpoints.h"
#include "train/timings_log.h"

namespace avbench::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

int64_t bytes_of(const tensors::StateDict& tensors) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

data::LoadedBatch wait_for(const NextBatch& next_batch) {
  const runtime::TracePhase phase(step_phase::kData);
  return next_batch();
}

std::vector<std::string> faulty_samples(const TrainTask& task, const Batch& batch) {
  std::vector<std::string> names;
  for (const int64_t row : non_finite_rows(batch)) {
    names.push_back(task.name_of(batch.index[row].item<int64_t>()));
  }
  return names;
}

double clipped_share(const LoopState& state) {
  return static_cast<double>(state.clipped) / static_cast<double>(std::max<int64_t>(1, state.step));
}

std::string best_text(const LoopState& state) {
  return state.best_score ? fmt::format("best {:.4g}", *state.best_score) : "";
}

StageResult result_of(const LoopState& state, int64_t batch_size) {
  const double seconds = state.train_seconds;
  return {
      .steps = state.step,
      .seconds = state.seconds,
      .clips_per_second = seconds > 0 ? static_cast<double>(state.step * batch_size) / seconds : 0,
      .peak_memory_bytes = state.peak_memory_bytes,
      .waiting_share = seconds > 0 ? state.waiting_seconds / seconds : 0,
      .clipped_share = clipped_share(state),
      .best_score = state.best_score,
      .best_epoch = state.best_epoch,
      .last_report = state.last_report};
}

// NaN is neither better nor worse than a number.
void require_finite(const std::string& title, const char* what, std::optional<double> metric,
                    int64_t epoch) {
  if (!metric || std::isfinite(*metric)) return;
  throw std::runtime_error(fmt::format("{}: the {} is {} after epoch {}, expected a finite number",
                                       title, what, *metric, epoch));
}

class StageRun {
 public:
  StageRun(TrainTask& task, const StagePlan& plan)
      : task_(task),
        plan_(plan),
        checkpoints_(plan.title, plan.folder / run_layout::kCheckpoints, plan.keep_checkpoints),
        timings_(plan.folder / run_layout::kTimings),
        total_steps_(plan.epochs * plan.steps_per_epoch),
        optimizer_(plan.optimizer, task.param_groups(), task.state()),
        step_(task, optimizer_, plan.clip_norm),
        schedule_(plan.schedule, plan.epochs) {}

  StageResult run(const OpenBatches& open_batches) {
    const runtime::TracePhase phase("stage", plan_.title);
    runtime::reset_peak_memory();
    resume();
    MetricsLog log(plan_.folder / run_layout::kMetrics, state_.metrics_bytes);
    try {
      train(open_batches, log);
    } catch (const runtime::Interrupted&) {
      save_step(log);
      throw runtime::Interrupted(fmt::format(
          "{} interrupted at step {} of {}; the checkpoint is in {}. Run the same command again to "
          "continue.",
          plan_.title, state_.step, total_steps_, checkpoints_.path().string()));
    }
    checkpoints_.require_best_of(state_);
    checkpoints_.save_final(state_now(), task_.state(), log);
    return result_of(state_now(), plan_.batch_size);
  }

  StepCost probe(const OpenBatches& open_batches) {
    constexpr int64_t kSteps = 20;
    constexpr double kSeconds = 2;
    const int64_t steps = std::min(total_steps_, kSteps);
    const NextBatch next_batch = open_batches(0, steps);
    train_step(next_batch);  // allocates gradients and momentum
    const double first = state_.train_seconds;
    while (state_.step < steps && state_.train_seconds - first < kSeconds) train_step(next_batch);
    const double measured = state_.train_seconds - first;
    return {.seconds = state_.step > 1 ? measured / static_cast<double>(state_.step - 1) : first,
            .model_bytes = bytes_of(task_.state()),
            .optimizer_bytes = bytes_of(optimizer_.state())};
  }

 private:
  void resume() {
    const auto point = checkpoints_.resume(task_.state(), optimizer_);
    if (!point) return;
    state_ = point->state;
    schedule_.restore(state_.schedule);
    spdlog::info("{}: continues at step {} of {} ({})", plan_.title, state_.step, total_steps_,
                 point->file.string());
  }

  void train(const OpenBatches& open_batches, MetricsLog& log) {
    const NextBatch next_batch = open_batches(state_.step, total_steps_ - state_.step);
    runtime::Progress progress(plan_.title, total_steps_, state_.step,
                               static_cast<double>(plan_.batch_size));
    while (true) {
      const int64_t epochs_done = state_.step / plan_.steps_per_epoch;
      if (epochs_done > state_.epochs_ended) end_epoch(epochs_done, log);
      if (state_.step == total_steps_) return;
      if (state_.step % plan_.steps_per_epoch == 0) begin_epoch(epochs_done);
      const StepMetrics metrics = timed_step(next_batch);
      log.write(metrics);
      state_.loss_sum += metrics.loss;
      progress.update(state_.step, metrics.loss, best_text(state_));
      runtime::check_interrupt("training");
      if (state_.step % plan_.checkpoint_every == 0) save_step(log);
    }
  }

  void begin_epoch(int64_t epoch) {
    const auto begin = Clock::now();
    tensors::seed_default_generator(tensors::derive_seed(plan_.seed, "default of epoch", epoch));
    task_.before_epoch(
        {.epoch = epoch,
         .total_epochs = plan_.epochs,
         .random = tensors::make_generator(tensors::derive_seed(plan_.seed, "epoch", epoch)),
         .group = alone_});
    state_.train_seconds += seconds_since(begin);
  }

  StepMetrics timed_step(const NextBatch& next_batch) {
    const runtime::PhaseTimes times;
    StepMetrics metrics = train_step(next_batch);
    timings_.add(times.seconds());
    const auto waiting = times.seconds().find(step_phase::kData);
    if (waiting != times.seconds().end()) state_.waiting_seconds += waiting->second;
    return metrics;
  }

  StepMetrics train_step(const NextBatch& next_batch) {
    const runtime::TracePhase phase("step");
    const auto begin = Clock::now();
    const data::LoadedBatch batch = wait_for(next_batch);
    const double scale = schedule_.scale(fractional_epoch());
    const StepOutcome outcome = step(batch, scale);
    if (plan_.clip_norm > 0 && outcome.gradient_norm > plan_.clip_norm) ++state_.clipped;
    state_.train_seconds += seconds_since(begin);

    StepMetrics metrics{.step = state_.step,
                        .epoch = fractional_epoch(),
                        .loss = outcome.loss,
                        .gradient_norm = outcome.gradient_norm,
                        .lr = plan_.optimizer.lr * scale};
    metrics.parts = outcome.parts;
    ++state_.step;
    return metrics;
  }

  StepOutcome step(const data::LoadedBatch& batch, double scale) {
    const StepContext context{.step = state_.step,
                              .total_steps = total_steps_,
                              .epoch = fractional_epoch(),
                              .training = true,
                              .random = step_generator(plan_.seed, state_.step),
                              .group = alone_};
    tensors::seed_default_generator(tensors::derive_seed(plan_.seed, "dropout", state_.step));
    try {
      return step_.run(batch, context, scale);
    } catch (const NotFinite& fault) {
      throw std::runtime_error(
          fmt::format("{}: the {} is {} at step {} (epoch {:.2f}). Last good checkpoint: {}. {}",
                      plan_.title, fault.quantity(), fault.value(), state_.step, fractional_epoch(),
                      checkpoints_.last_good(), remedy_for(faulty_samples(task_, batch.batch))));
    }
  }

  // `epoch`: how many are done. Nothing of the loop's state changes before the task has answered,
  // so that an interrupted validation is simply done again.
  void end_epoch(int64_t epoch, MetricsLog& log) {
    const runtime::TracePhase phase("end of epoch");
    timings_.write(epoch);
    const double mean_loss = state_.loss_sum / static_cast<double>(plan_.steps_per_epoch);
    EpochReport report;
    const bool validate = epoch % plan_.validate_every == 0 || epoch == plan_.epochs;
    if (validate) {
      report = task_.end_epoch(epoch);
      require_finite(plan_.title, "score", report.score, epoch);
      require_finite(plan_.title, "metric that the schedule watches", report.plateau, epoch);
      schedule_.validated(report.plateau.value_or(mean_loss));
    }
    state_.epochs_ended = epoch;
    state_.loss_sum = 0;
    EpochMetrics metrics{
        .epochs_done = epoch, .mean_loss = mean_loss, .of_task = std::move(report.metrics)};
    if (plan_.clip_norm > 0) metrics.clipped_share = clipped_share(state_);
    log.write(metrics);
    if (!validate) return;
    state_.last_report = std::move(metrics.of_task);
    if (report.score && (!state_.best_score || *report.score > *state_.best_score)) {
      state_.best_score = report.score;
      state_.best_epoch = epoch;
      checkpoints_.save_best({.epoch = epoch, .score = *report.score}, task_.state(), state_.step);
    }
  }

  void save_step(MetricsLog& log) const {
    checkpoints_.save_step(state_now(), task_.state(), optimizer_, log);
  }

  // With all that a checkpoint holds, but metrics_bytes.
  LoopState state_now() const {
    LoopState state = state_;
    state.schedule = schedule_.state();
    state.seconds += seconds_since(begin_);
    state.peak_memory_bytes = std::max(state.peak_memory_bytes, runtime::peak_memory_bytes());
    return state;
  }

  double fractional_epoch() const {
    return static_cast<double>(state_.step) / static_cast<double>(plan_.steps_per_epoch);
  }

  TrainTask& task_;
  const StagePlan& plan_;
  StageCheckpoints checkpoints_;
  TimingsLog timings_;
  int64_t total_steps_;
  Optimizer optimizer_;
  TrainingStep step_;
  Schedule schedule_;
  Communicator alone_;
  LoopState state_;  // schedule, metrics_bytes, seconds and peak_memory_bytes: as resumed
  const Clock::time_point begin_ = Clock::now();
};

}  // namespace

StageResult run_stage(TrainTask& task, const StagePlan& plan, const OpenBatches& open_batches) {
  return StageRun(task, plan).run(open_batches);
}

StepCost probe_stage(TrainTask& task, const StagePlan& plan, const OpenBatches& open_batches) {
  return StageRun(task, plan).probe(open_batches);
}

}  // namespace avbench::train
