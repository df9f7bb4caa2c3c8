#include "train/loop.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <stdexcept>

#include "io/trace.h"
#include "train/interrupt.h"
#include "train/loop_state.h"
#include "train/metrics_log.h"
#include "train/non_finite.h"
#include "train/optimizer.h"
#include "train/peak_memory.h"
#include "train/progress.h"
#include "train/schedule.h"
#include "train/seeds.h"

namespace avbench {

TrainTask::~TrainTask() = default;

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kOptimizerPrefix = "optimizer/";
constexpr const char* kWaiting = "wait for data";

class StageRun {
 public:
  StageRun(TrainTask& task, const StagePlan& plan)
      : task_(task),
        plan_(plan),
        checkpoints_(plan.folder / "checkpoints", plan.keep_checkpoints),
        total_steps_(plan.epochs * plan.steps_per_epoch),
        optimizer_(plan.optimizer, task.param_groups(), task.state()),
        schedule_(plan.schedule, plan.epochs) {}

  StageResult run(const OpenBatches& open_batches) {
    const TracePhase phase("stage", plan_.title);
    reset_peak_memory();
    checkpoints_.remove_leftovers();
    resume();
    MetricsLog log(plan_.folder / "metrics.jsonl", state_.metrics_bytes);
    try {
      train(open_batches, log);
    } catch (const Interrupted&) {
      save_step(log);
      throw Interrupted(fmt::format(
          "{} interrupted at step {} of {}; the checkpoint is in {}. Run the same command again to "
          "continue.",
          plan_.title, state_.step, total_steps_, checkpoints_.path().string()));
    }
    require_own_best();
    explain_failure([&] { checkpoints_.save("final", task_.state(), state_now(log)); });
    checkpoints_.keep_steps(1);
    return result();
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
  static int64_t bytes_of(const StateDict& tensors) {
    int64_t bytes = 0;
    for (const auto& [name, tensor] : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
    return bytes;
  }

  StageResult result() const {
    const double seconds = state_.train_seconds;
    return {.steps = state_.step,
            .seconds = stage_seconds(),
            .clips_per_second =
                seconds > 0 ? static_cast<double>(state_.step * plan_.batch_size) / seconds : 0,
            .peak_memory_bytes = peak_memory(),
            .waiting_share = seconds > 0 ? state_.waiting_seconds / seconds : 0,
            .clipped_share = clipped_share(),
            .best_score = state_.best_score,
            .best_epoch = state_.best_epoch,
            .last_report = state_.last_report};
  }

  double clipped_share() const {
    return static_cast<double>(state_.clipped) /
           static_cast<double>(std::max<int64_t>(1, state_.step));
  }

  int64_t peak_memory() const { return std::max(state_.peak_memory_bytes, peak_memory_bytes()); }

  double fractional_epoch() const {
    return static_cast<double>(state_.step) / static_cast<double>(plan_.steps_per_epoch);
  }

  void train(const OpenBatches& open_batches, MetricsLog& log) {
    const NextBatch next_batch = open_batches(state_.step, total_steps_ - state_.step);
    Progress progress(plan_.title, total_steps_, state_.step,
                      static_cast<double>(plan_.batch_size));
    while (true) {
      const int64_t epochs_done = state_.step / plan_.steps_per_epoch;
      if (epochs_done > state_.epochs_ended) end_epoch(epochs_done, log);
      if (state_.step == total_steps_) return;
      if (state_.step % plan_.steps_per_epoch == 0) begin_epoch(epochs_done);
      const Json line = timed_step(next_batch);
      log.write(line);
      const double loss = line["loss"];
      state_.loss_sum += loss;
      progress.update(state_.step, loss, best_text());
      check_interrupt("training");
      if (state_.step % plan_.checkpoint_every == 0) save_step(log);
    }
  }

  std::string best_text() const {
    return state_.best_score ? fmt::format("best {:.4g}", *state_.best_score) : "";
  }

  double stage_seconds() const {
    return state_.seconds + std::chrono::duration<double>(Clock::now() - begin_).count();
  }

  StepContext context() {
    return {.step = state_.step,
            .total_steps = total_steps_,
            .epoch = fractional_epoch(),
            .training = true,
            .random = make_generator(derive_seed(plan_.seed, "step", state_.step)),
            .group = alone_};
  }

  void begin_epoch(int64_t epoch) {
    const auto begin = Clock::now();
    seed_default_generator(derive_seed(plan_.seed, "default of epoch", epoch));
    task_.before_epoch({.epoch = epoch,
                        .total_epochs = plan_.epochs,
                        .random = make_generator(derive_seed(plan_.seed, "epoch", epoch)),
                        .group = alone_});
    state_.train_seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  }

  Json timed_step(const NextBatch& next_batch) {
    const PhaseTimes times;
    Json line = train_step(next_batch);
    for (const auto& [phase, seconds] : times.seconds()) epoch_phases_[phase] += seconds;
    if (const auto waiting = times.seconds().find(kWaiting); waiting != times.seconds().end()) {
      state_.waiting_seconds += waiting->second;
    }
    return line;
  }

  // Returns the line for the log.
  Json train_step(const NextBatch& next_batch) {
    const TracePhase phase("step");
    const auto begin = Clock::now();
    const LoadedBatch batch = wait_for(next_batch);
    const StepContext context = this->context();
    seed_default_generator(derive_seed(plan_.seed, "dropout", state_.step));
    task_.set_training();
    optimizer_.zero_grad();
    const Loss loss = forward(batch, context);
    const double value = loss.total.item<double>();
    if (!std::isfinite(value)) stop_for_divergence("loss", value, batch);
    backward(loss, context);
    const double norm = clip_gradients();
    if (!std::isfinite(norm)) stop_for_divergence("gradient's norm", norm, batch);
    if (plan_.clip_norm > 0 && norm > plan_.clip_norm) ++state_.clipped;
    const double scale = schedule_.scale(fractional_epoch());
    update(scale, context);
    state_.train_seconds += std::chrono::duration<double>(Clock::now() - begin).count();

    Json line = {{"step", state_.step}, {"epoch", context.epoch}, {"loss", value}};
    for (const auto& [name, part] : loss.parts) line["parts"][name] = part.item<double>();
    line["gradient_norm"] = norm;
    line["lr"] = plan_.optimizer.lr * scale;
    ++state_.step;
    return line;
  }

  static LoadedBatch wait_for(const NextBatch& next_batch) {
    const TracePhase phase(kWaiting);
    return next_batch();
  }

  Loss forward(const LoadedBatch& batch, const StepContext& context) {
    const TracePhase phase("loss");
    return task_.loss(batch, context);
  }

  void backward(const Loss& loss, const StepContext& context) {
    {
      const TracePhase phase("backward");
      loss.total.backward();
    }
    const TracePhase phase("hooks");
    task_.after_backward(context);
  }

  double clip_gradients() {
    const TracePhase phase("optimizer");
    return optimizer_.clip_gradients(plan_.clip_norm);
  }

  void update(double scale, const StepContext& context) {
    {
      const TracePhase phase("optimizer");
      optimizer_.step(scale);
    }
    const TracePhase phase("hooks");
    task_.after_step(context);
  }

  // Beside metrics.jsonl, which is the same for equal runs. A validation that is done again after
  // an interruption has no steps.
  void log_phases(int64_t epoch) {
    if (epoch_phases_.empty()) return;
    Json line = {{"epoch", epoch}};
    for (const auto& [phase, seconds] : epoch_phases_) line["seconds"][phase] = seconds;
    epoch_phases_.clear();
    const auto file = plan_.folder / "timings.jsonl";
    std::ofstream out(file, std::ios::app);
    out << line.dump() << "\n" << std::flush;
    if (!out) throw std::runtime_error(file.string() + " cannot be written");
  }

  // `epoch`: how many are done. Nothing of the loop's state changes before the task has answered,
  // so that an interrupted validation is simply done again.
  void end_epoch(int64_t epoch, MetricsLog& log) {
    const TracePhase phase("end of epoch");
    log_phases(epoch);
    const double mean_loss = state_.loss_sum / static_cast<double>(plan_.steps_per_epoch);
    EpochReport report;
    const bool validate = epoch % plan_.validate_every == 0 || epoch == plan_.epochs;
    if (validate) {
      report = task_.end_epoch(epoch);
      require_finite("score", report.score, epoch);
      require_finite("figure that the schedule watches", report.plateau, epoch);
      schedule_.validated(report.plateau.value_or(mean_loss));
    }
    state_.epochs_ended = epoch;
    state_.loss_sum = 0;
    Json line = {{"epoch_done", epoch}, {"mean_loss", mean_loss}};
    if (plan_.clip_norm > 0) line["clipped_share"] = clipped_share();
    line.update(report.figures);
    log.write(line);
    if (!validate) return;
    state_.last_report = report.figures;
    if (report.score && (!state_.best_score || *report.score > *state_.best_score)) {
      state_.best_score = report.score;
      state_.best_epoch = epoch;
      const BestState best{.epoch = epoch, .score = *report.score};
      explain_failure([&] { checkpoints_.save("best", task_.state(), write_fields(best)); });
    }
  }

  Json state_now(MetricsLog& log) const {
    LoopState state = state_;
    state.schedule = schedule_.state();
    state.metrics_bytes = log.flush();
    state.seconds = stage_seconds();
    state.peak_memory_bytes = peak_memory();
    return write_fields(state);
  }

  void save_step(MetricsLog& log) {
    const TracePhase phase("checkpoint");
    StateDict tensors = task_.state();
    for (auto& [name, tensor] : optimizer_.state()) tensors[kOptimizerPrefix + name] = tensor;
    explain_failure([&] { checkpoints_.save_step(state_.step, tensors, state_now(log)); });
  }

  // A disk that is full or read-only: says what is still there.
  template <class F>
  void explain_failure(const F& write) {
    try {
      write();
    } catch (const std::exception& error) {
      const auto last = checkpoints_.latest_step();
      throw std::runtime_error(fmt::format(
          "{}: no checkpoint could be written at step {}: {}. {} Run the same command again when "
          "that is mended.",
          plan_.title, state_.step, error.what(),
          last ? "What was written before is intact, the newest is " + last->file.string() + "."
               : "There is no earlier one."));
    }
  }

  static int64_t epoch_of(const std::optional<Checkpoint>& best) {
    return best ? best->state_as<BestState>().epoch : -1;
  }

  // Without the weights of its best epoch a stage cannot be continued. A later best than the
  // checkpoint knows was written just before the process was killed: it will be written again.
  bool has_its_best(const Checkpoint& checkpoint) const {
    const int64_t epoch = checkpoint.state_as<LoopState>().best_epoch;
    return epoch < 0 || epoch_of(checkpoints_.find("best")) >= epoch;
  }

  // Nothing is written after "final": its best is exactly the one it knows.
  bool is_whole(const Checkpoint& final) const {
    const int64_t epoch = final.state_as<LoopState>().best_epoch;
    return epoch < 0 || epoch_of(checkpoints_.find("best")) == epoch;
  }

  // Continued with another number of threads, the later best may not have come again.
  void require_own_best() {
    if (!state_.best_score || epoch_of(checkpoints_.find("best")) == state_.best_epoch) return;
    checkpoints_.keep_steps(0);
    throw std::runtime_error(fmt::format(
        "{}: checkpoint best in {} is not of epoch {}, which was the best. Was the stage continued "
        "with another number of threads? Its step checkpoints were removed; run the same command "
        "again to repeat it.",
        plan_.title, checkpoints_.path().string(), state_.best_epoch));
  }

  // A stage that was finished, but whose caller was not, has a final checkpoint.
  void resume() {
    auto checkpoint = checkpoints_.find("final");
    if (!checkpoint || !is_whole(*checkpoint)) {
      checkpoint =
          checkpoints_.latest_step([this](const Checkpoint& step) { return has_its_best(step); });
    }
    if (!checkpoint) return;
    StateDict model, optimizer;
    const std::string prefix = kOptimizerPrefix;
    for (const auto& [name, tensor] : checkpoint->tensors) {
      if (name.starts_with(prefix)) {
        optimizer[name.substr(prefix.size())] = tensor;
      } else {
        model[name] = tensor;
      }
    }
    copy_state(model, task_.state(), checkpoint->file.string());
    if (!optimizer.empty()) optimizer_.restore(optimizer);
    state_ = checkpoint->state_as<LoopState>();
    schedule_.restore(state_.schedule);
    spdlog::info("{}: continues at step {} of {} ({})", plan_.title, state_.step, total_steps_,
                 checkpoint->file.string());
  }

  // NaN is neither better nor worse than a number.
  void require_finite(const char* what, const std::optional<double>& figure, int64_t epoch) const {
    if (!figure || std::isfinite(*figure)) return;
    throw std::runtime_error(
        fmt::format("{}: the {} is {} after epoch {}, expected a finite number", plan_.title, what,
                    *figure, epoch));
  }

  [[noreturn]] void stop_for_divergence(const char* what, double value, const LoadedBatch& batch) {
    const auto last = checkpoints_.latest_step();
    const std::string best = (checkpoints_.path() / "best.safetensors").string();
    const std::string good = last ? last->file.string() : checkpoints_.has("best") ? best : "none";
    throw std::runtime_error(fmt::format(
        "{}: the {} is {} at step {} (epoch {:.2f}). Last good checkpoint: {}. {}", plan_.title,
        what, value, state_.step, fractional_epoch(), good, remedy_for(faulty_samples(batch))));
  }

  std::vector<std::string> faulty_samples(const LoadedBatch& batch) const {
    std::vector<std::string> names;
    for (const int64_t row : non_finite_rows(batch.batch)) {
      names.push_back(task_.name_of(batch.batch.index[row].item<int64_t>()));
    }
    return names;
  }

  TrainTask& task_;
  const StagePlan& plan_;
  CheckpointFolder checkpoints_;
  int64_t total_steps_;
  Optimizer optimizer_;
  Schedule schedule_;
  Communicator alone_;
  LoopState state_;  // schedule, metrics_bytes, seconds and peak_memory_bytes: as resumed
  std::map<std::string, double> epoch_phases_;  // seconds
  const Clock::time_point begin_ = Clock::now();
};

}  // namespace

StageResult run_stage(TrainTask& task, const StagePlan& plan, const OpenBatches& open_batches) {
  return StageRun(task, plan).run(open_batches);
}

StepCost probe_stage(TrainTask& task, const StagePlan& plan, const OpenBatches& open_batches) {
  return StageRun(task, plan).probe(open_batches);
}

}  // namespace avbench
