// What a run will cost, from how much it has to do and what a few measured steps took.
#pragma once

#include <cstdint>
#include <string>

#include "config/row_config.h"
#include "config/run_config.h"
#include "experiment/row_datasets.h"
#include "train/loop.h"

namespace avbench::experiment {

// What one run has to do. Clips are those that are evaluated, not trained on.
struct Workload {
  int64_t pretrain_steps = 0;
  int64_t pretrain_clips = 0;   // at the ends of epochs
  int64_t pretrain_finals = 1;  // checkpoints of the model alone that stay: the last, the best
  int64_t finetune_steps = 0;
  int64_t finetune_clips = 0;  // statistics, validation, fit
  int64_t test_clips = 0;
  int64_t labels = 0;
};

Workload workload(const config::RowConfig& row, const RowDatasets& data, int64_t seed);

struct RunCost {
  train::StepCost pretrain, finetune;
  double clip_seconds = 0;  // of one clip, evaluated
};

struct Estimate {
  double seconds = 0;
  int64_t bytes = 0;  // of checkpoints, as many as are kept while a stage runs

  Estimate& operator+=(const Estimate& other);
};

Estimate pretrain_estimate(const Workload& work, const RunCost& cost, const config::RunConfig& run);
Estimate finetune_estimate(const Workload& work, const RunCost& cost, const config::RunConfig& run);

// "about 2 h 10 min, 345 MiB"
std::string to_string(const Estimate& estimate);

}  // namespace avbench::experiment
