// Finetuning on labels, choice of the checkpoint on validation data, and the test.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/experiment.h"
#include "io/json.h"
#include "protocol/classifier.h"
#include "protocol/stage_data.h"
#include "train/loop.h"

namespace avbench {

struct FinetuneJob {
  std::string title;
  std::filesystem::path folder;    // results/<experiment>/<row>-s<seed>
  const ProtocolConfig& protocol;  // the row's
  const RunConfig& run;
  uint64_t seed;
  StageData data;
};

// Trains `classifier`, which the caller has initialised, to the end or from the newest checkpoint.
// Writes finetune.json and returns its content: steps, seconds, clips_per_second,
// peak_memory_bytes, validation (accuracy of the chosen checkpoint), train_accuracy (of the last
// weights on the labelled samples), labels_train, labels_validation.
Json finetune(const FinetuneJob& job, Classifier& classifier);

// A few of its steps. Nothing is written.
StepCost probe_finetuning(const FinetuneJob& job, Classifier& classifier);

// The checkpoint that is tested: nothing unless finetuning has finished, and it is intact and of
// the epoch that finetune.json names.
std::optional<Checkpoint> chosen_checkpoint(const FinetuneJob& job);

// Reads the test split once, with the chosen checkpoint. Writes the predictions and test.json and
// returns its content: accuracy, loss, videos, clips, seconds.
Json test(const FinetuneJob& job, Classifier& classifier);

}  // namespace avbench
