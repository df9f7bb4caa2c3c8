// Self-supervised pretraining of one row with one seed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "config/row_config.h"
#include "config/run_config.h"
#include "io/json_fields.h"
#include "plugin/load.h"
#include "stages/stage_loaders.h"
#include "train/checkpoint.h"
#include "train/loop.h"

namespace avbench::stages {

struct PretrainJob {
  std::string title;
  std::filesystem::path folder;  // results/pretrain/<hash>
  const config::RowConfig& row;
  const config::RunConfig& run;
  const plugin::LoadedPlugin& plugin;
  const Params& params;
  uint64_t seed;
  StageLoaders data;
  StageLoaders labelled;  // base views of protocol.data.source: what `select: knn` looks at
};

// The method with its towers on the device of the job, at their initial weights for this seed,
// which are drawn on the CPU.
std::shared_ptr<Method> create_method(const PretrainJob& job);

// summary.json of a pretraining.
struct PretrainResult {
  int64_t steps = 0;
  double seconds = 0;
  double clips_per_second = 0;
  double waiting_share = 0;  // of that time, spent waiting for data
  int64_t peak_memory_bytes = 0;
  int64_t chosen_epoch = 0;
  double clipped_share = 0;                   // of the steps whose gradient was clipped
  std::string collapse;                       // why it counts as collapsed; empty: it does not
  io::Json diagnostics = io::Json::object();  // metrics of the last validation, by name
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<PretrainResult> auto& r) {
  v("steps", r.steps);
  v("seconds", r.seconds);
  v("clips_per_second", r.clips_per_second);
  v("waiting_share", r.waiting_share);
  v("peak_memory_bytes", r.peak_memory_bytes);
  v("chosen_epoch", r.chosen_epoch);
  v("clipped_share", r.clipped_share);
  v("collapse", r.collapse);
  v("diagnostics", r.diagnostics);
}

// Trains to the end, or from the newest checkpoint; writes summary.json.
PretrainResult pretrain(const PretrainJob& job);

// What finetuning starts from; nothing if it is missing or damaged.
std::optional<train::Checkpoint> chosen_checkpoint(const PretrainJob& job,
                                                   const PretrainResult& result);

// Features of validation samples are taken at the end of each epoch, of at most this many.
inline constexpr int64_t kDiagnosticSamples = 256;

// A few of its steps. Nothing is written.
train::StepCost probe_pretraining(const PretrainJob& job);

}  // namespace avbench::stages
