// Finetuning on labels, choice of the checkpoint on validation data, and the test.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/protocol_config.h"
#include "config/run_config.h"
#include "io/json_fields.h"
#include "stages/classifier.h"
#include "stages/stage_loaders.h"
#include "train/checkpoint.h"
#include "train/loop.h"

namespace avbench::stages {

struct FinetuneJob {
  std::string title;
  std::filesystem::path folder;            // results/<experiment>/<row>-s<seed>
  const config::ProtocolConfig& protocol;  // the row's
  const config::RunConfig& run;
  uint64_t seed;
  StageLoaders data;
};

// finetune.json.
struct FinetuneResult {
  int64_t steps = 0;
  double seconds = 0;
  double clips_per_second = 0;
  double waiting_share = 0;  // of that time, spent waiting for data
  int64_t peak_memory_bytes = 0;
  double validation = 0;  // accuracy of the chosen checkpoint
  int64_t chosen_epoch = 0;
  double train_accuracy = 0;  // of the last weights on the labelled samples
  int64_t labels_train = 0, labels_validation = 0;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<FinetuneResult> auto& r) {
  v("steps", r.steps);
  v("seconds", r.seconds);
  v("clips_per_second", r.clips_per_second);
  v("waiting_share", r.waiting_share);
  v("peak_memory_bytes", r.peak_memory_bytes);
  v("validation", r.validation);
  v("chosen_epoch", r.chosen_epoch);
  v("train_accuracy", r.train_accuracy);
  v("labels_train", r.labels_train);
  v("labels_validation", r.labels_validation);
}

// test.json.
struct TestResult {
  double accuracy = 0, loss = 0;
  int64_t videos = 0;
  int64_t clips = 0;  // of a video
  double seconds = 0;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<TestResult> auto& r) {
  v("accuracy", r.accuracy);
  v("loss", r.loss);
  v("videos", r.videos);
  v("clips", r.clips);
  v("seconds", r.seconds);
}

// Trains `classifier`, which the caller has initialised, to the end or from the newest checkpoint.
// Writes finetune.json.
FinetuneResult finetune(const FinetuneJob& job, Classifier& classifier);

// A few of its steps. Nothing is written.
train::StepCost probe_finetuning(const FinetuneJob& job, Classifier& classifier);

// The checkpoint that is tested: nothing unless finetuning has finished, and it is intact and of
// the epoch that finetune.json names.
std::optional<train::Checkpoint> chosen_checkpoint(const FinetuneJob& job);

// Reads the test split once, with the chosen checkpoint. Writes the predictions and test.json.
TestResult test(const FinetuneJob& job, Classifier& classifier);

}  // namespace avbench::stages
