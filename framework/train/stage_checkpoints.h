// The checkpoints of one stage: those of steps, from which it is continued, "best" and "final".
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tensors/state_dict.h"
#include "train/checkpoint.h"
#include "train/loop_state.h"
#include "train/metrics_log.h"
#include "train/optimizer.h"

namespace avbench::train {

// In a step checkpoint, before the names of the optimiser's tensors.
inline constexpr const char* kOptimizerPrefix = "optimizer/";

// Where a stage goes on.
struct ResumePoint {
  LoopState state;
  std::filesystem::path file;
};

class StageCheckpoints {
 public:
  // `title`: of the stage, for errors. `keep_steps`: as of CheckpointFolder.
  StageCheckpoints(std::string title, std::filesystem::path folder, int64_t keep_steps);

  // Copies the newest checkpoint that fits its "best" into `model` and the optimiser, after
  // removing what killed processes left. Nothing: the stage begins. A stage that was finished, but
  // whose caller was not, has a final checkpoint.
  std::optional<ResumePoint> resume(const tensors::StateDict& model, Optimizer& optimizer) const;

  // The log is flushed, and its size goes into the state. If nothing can be written, these throw
  // std::runtime_error that says what is still there.
  void save_step(const LoopState& state, tensors::StateDict model, const Optimizer& optimizer,
                 MetricsLog& log) const;
  void save_final(const LoopState& state, const tensors::StateDict& model, MetricsLog& log) const;
  // `step`: how many are done.
  void save_best(const BestState& best, const tensors::StateDict& model, int64_t step) const;

  // Throws std::runtime_error, and removes the step checkpoints, if "best" is not of the epoch that
  // the state takes for the best: continued with another number of threads, a later one may not
  // have come again.
  void require_best_of(const LoopState& state) const;

  // The newest of a step, "best" without one, else "none": for messages.
  std::string last_good() const;

  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  void forget_later_than(const std::optional<Checkpoint>& chosen) const;
  bool has_its_best(const Checkpoint& checkpoint) const;
  bool is_whole(const Checkpoint& final) const;
  int64_t best_epoch() const;
  template <class F>
  void explain_failure(int64_t step, const F& write) const;

  std::string title_;
  CheckpointFolder folder_;
};

}  // namespace avbench::train
