// The training loop, the same for pretraining and finetuning: steps, schedule, validation,
// checkpoints, logs, resumption.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "avbench/context.h"
#include "avbench/method.h"
#include "config/optimizer_config.h"
#include "data/loader.h"
#include "io/json.h"
#include "tensors/state_dict.h"
#include "train/step.h"

namespace avbench::train {

// What an epoch ended with.
struct EpochReport {
  io::Json metrics = io::Json::object();  // logged
  std::optional<double> score;            // higher is better: decides which checkpoint is "best"
  std::optional<double> plateau;          // lower is better: what the plateau schedule watches
};

// What a stage trains.
class TrainTask : public Trainable {
 public:
  // Everything a checkpoint must hold, by stable name; the tensors are the live ones.
  virtual tensors::StateDict state() = 0;
  virtual std::vector<ParamGroup> param_groups() = 0;
  virtual void before_epoch(const EpochContext&) {}
  virtual EpochReport end_epoch(int64_t epoch) = 0;  // after epochs that are validated
  // The name of a sample of the batches, for messages.
  virtual std::string name_of(int64_t index) const { return "sample " + std::to_string(index); }
};

struct StagePlan {
  std::string title;  // "pretrain SimCLR s0", for progress and errors
  std::filesystem::path folder;
  uint64_t seed = 0;
  int64_t epochs = 0;
  int64_t steps_per_epoch = 0;
  int64_t batch_size = 0;
  double clip_norm = 0;
  int64_t validate_every = 1;      // epochs; the last epoch always is
  int64_t checkpoint_every = 200;  // steps
  int64_t keep_checkpoints = 2;
  config::OptimizerConfig optimizer;
  config::ScheduleConfig schedule;
};

struct StageResult {
  int64_t steps = 0;
  double seconds = 0;  // of the whole stage, over all its interruptions
  double clips_per_second = 0;
  int64_t peak_memory_bytes = 0;
  double waiting_share = 0;  // of the steps' time that was spent waiting for data
  double clipped_share = 0;  // of the steps whose gradient was clipped
  std::optional<double> best_score;
  int64_t best_epoch = -1;
  io::Json last_report = io::Json::object();
};

// Gives the batches of steps first_step, first_step + 1, ..., `count` in all.
using NextBatch = std::function<data::LoadedBatch()>;
using OpenBatches = std::function<NextBatch(int64_t first_step, int64_t count)>;

// Runs the stage to its end, from the newest checkpoint in plan.folder/checkpoints if there is one.
// Leaves the checkpoints "final", the newest of the steps (for the day that "final" is damaged)
// and, if a score was reported, "best". The caller holds the folder's lock. Throws Interrupted
// after Ctrl-C (a checkpoint is written first) and std::runtime_error if the loss, or the score of
// an epoch, is not finite.
StageResult run_stage(TrainTask& task, const StagePlan& plan, const OpenBatches& open_batches);

// What a step costs, and what a checkpoint holds.
struct StepCost {
  double seconds = 0;  // of one step, waiting for data included
  int64_t model_bytes = 0, optimizer_bytes = 0;
};

// Measures a few steps, the first left out, for about two seconds. Trains `task` in memory; writes
// nothing. The plan has at least one step.
StepCost probe_stage(TrainTask& task, const StagePlan& plan, const OpenBatches& open_batches);

}  // namespace avbench::train
