#include "train/stage_checkpoints.h"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/trace.h"

namespace avbench::train {
namespace {

constexpr const char* kBest = "best";
constexpr const char* kFinal = "final";

LoopState with_log(LoopState state, MetricsLog& log) {
  state.metrics_bytes = log.flush();
  return state;
}

}  // namespace

StageCheckpoints::StageCheckpoints(std::string title, std::filesystem::path folder,
                                   int64_t keep_steps)
    : title_(std::move(title)), folder_(std::move(folder), keep_steps) {}

std::optional<ResumePoint> StageCheckpoints::resume(const tensors::StateDict& model,
                                                    Optimizer& optimizer) const {
  folder_.remove_leftovers();
  auto checkpoint = folder_.find(kFinal);
  if (!checkpoint || !is_whole(*checkpoint)) {
    checkpoint = folder_.latest_step([this](const Checkpoint& step) { return has_its_best(step); });
  }
  forget_later_than(checkpoint);
  if (!checkpoint) return std::nullopt;
  tensors::StateDict of_model, of_optimizer;
  const std::string prefix = kOptimizerPrefix;
  for (const auto& [name, tensor] : checkpoint->tensors) {
    if (name.starts_with(prefix)) {
      of_optimizer[name.substr(prefix.size())] = tensor;
    } else {
      of_model[name] = tensor;
    }
  }
  tensors::copy_state(of_model, model, checkpoint->file.string());
  if (!of_optimizer.empty()) optimizer.restore(of_optimizer);
  return ResumePoint{checkpoint->state_as<LoopState>(), checkpoint->file};
}

// What was passed over must not be continued from after the next interruption: the log would lack
// the steps between.
void StageCheckpoints::forget_later_than(const std::optional<Checkpoint>& chosen) const {
  if (chosen && chosen->file.stem() == kFinal) return;
  std::filesystem::remove(path() / (std::string(kFinal) + ".json"));
  const auto newest = folder_.latest_step();
  if (!newest || (chosen && newest->file == chosen->file)) return;
  folder_.keep_steps(0);
  if (chosen) {
    folder_.save_step(chosen->state_as<LoopState>().step, chosen->tensors, chosen->state);
  }
}

void StageCheckpoints::save_step(const LoopState& state, tensors::StateDict model,
                                 const Optimizer& optimizer, MetricsLog& log) const {
  const runtime::TracePhase phase("checkpoint");
  for (auto& [name, tensor] : optimizer.state()) model[kOptimizerPrefix + name] = tensor;
  explain_failure(state.step, [&] {
    folder_.save_step(state.step, model, io::write_fields(with_log(state, log)));
  });
}

void StageCheckpoints::save_final(const LoopState& state, const tensors::StateDict& model,
                                  MetricsLog& log) const {
  explain_failure(state.step,
                  [&] { folder_.save(kFinal, model, io::write_fields(with_log(state, log))); });
  folder_.keep_steps(1);
}

void StageCheckpoints::save_best(const BestState& best, const tensors::StateDict& model,
                                 int64_t step) const {
  explain_failure(step, [&] { folder_.save(kBest, model, io::write_fields(best)); });
}

void StageCheckpoints::require_best_of(const LoopState& state) const {
  if (!state.best_score || best_epoch() == state.best_epoch) return;
  folder_.keep_steps(0);
  throw std::runtime_error(fmt::format(
      "{}: checkpoint best in {} is not of epoch {}, which was the best. Was the stage continued "
      "with another number of threads? Its step checkpoints were removed; run the same command "
      "again to repeat it.",
      title_, path().string(), state.best_epoch));
}

std::string StageCheckpoints::last_good() const {
  if (const auto last = folder_.latest_step()) return last->file.string();
  return folder_.has(kBest) ? (path() / "best.safetensors").string() : "none";
}

// Without the weights of its best epoch a stage cannot be continued. A later best than the
// checkpoint knows was written just before the process was killed: it will be written again.
bool StageCheckpoints::has_its_best(const Checkpoint& checkpoint) const {
  const int64_t epoch = checkpoint.state_as<LoopState>().best_epoch;
  return epoch < 0 || best_epoch() >= epoch;
}

// Nothing is written after "final": its best is exactly the one it knows.
bool StageCheckpoints::is_whole(const Checkpoint& final) const {
  const int64_t epoch = final.state_as<LoopState>().best_epoch;
  return epoch < 0 || best_epoch() == epoch;
}

// The epoch of the checkpoint on disk; -1: there is none, or it is damaged.
int64_t StageCheckpoints::best_epoch() const {
  const auto best = folder_.find(kBest);
  return best ? best->state_as<BestState>().epoch : -1;
}

// A disk that is full or read-only: says what is still there.
template <class F>
void StageCheckpoints::explain_failure(int64_t step, const F& write) const {
  try {
    write();
  } catch (const std::exception& error) {
    const auto last = folder_.latest_step();
    throw std::runtime_error(fmt::format(
        "{}: no checkpoint could be written at step {}: {}. {} Run the same command again when "
        "that is mended.",
        title_, step, error.what(),
        last ? "What was written before is intact, the newest is " + last->file.string() + "."
             : "There is no earlier one."));
  }
}

}  // namespace avbench::train
