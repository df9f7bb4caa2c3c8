// Self-supervised pretraining of one row with one seed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "config/experiment.h"
#include "io/json.h"
#include "plugin/load.h"
#include "protocol/stage_data.h"
#include "train/checkpoint.h"
#include "train/loop.h"

namespace avbench {

struct PretrainJob {
  std::string title;
  std::filesystem::path folder;  // results/pretrain/<hash>
  const RowConfig& row;
  const RunConfig& run;
  const LoadedPlugin& plugin;
  const Params& params;
  uint64_t seed;
  StageData data;
  StageData labelled;  // base views of protocol.data.source: what `select: knn` looks at
};

// The method with its towers, both at their initial weights for this seed.
std::shared_ptr<Method> create_method(const PretrainJob& job);

// Trains to the end, or from the newest checkpoint; writes summary.json. Returns its content:
// steps, seconds, clips_per_second, peak_memory_bytes, collapse, health, chosen_epoch.
Json pretrain(const PretrainJob& job);

// What finetuning starts from, by the summary of a pretraining; nothing if it is missing or
// damaged.
std::optional<Checkpoint> chosen_checkpoint(const PretrainJob& job, const Json& summary);

// Features of validation samples are taken at the end of each epoch, of at most this many.
inline constexpr int64_t kHealthSamples = 256;

// A few of its steps. Nothing is written.
StepCost probe_pretraining(const PretrainJob& job);

}  // namespace avbench
