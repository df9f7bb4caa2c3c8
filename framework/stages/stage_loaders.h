// One split of a data set as the stages read it.
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "avbench/context.h"
#include "avbench/views.h"
#include "config/modalities.h"
#include "config/test_config.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "train/loop.h"

namespace avbench::stages {

// What a stage reads: a data set, the views it wants, how many threads load them, and where the
// batches go.
struct StageLoaders {
  std::shared_ptr<const data::Dataset> dataset;
  Views views = base_views();
  int workers = 1;
  int64_t evaluation_batch = 16;  // rows; of the protocol, since batch-norm statistics depend on it
  c10::Device device = c10::kCPU;
};

// The base views of what is seen.
Views modality_views(config::Modalities modality);

// Batches of training views of `indices` of the training split, in a seeded order per epoch.
train::NextBatch open_training(const StageLoaders& data, std::vector<int64_t> indices,
                               int64_t batch_size, uint64_t seed, int64_t first_step,
                               int64_t count);

// Visits the evaluation views of each of `indices` of `split`, in order: views_of(config) a file.
// `during` is for the message if Ctrl-C is pressed.
void for_each_evaluation_batch(const StageLoaders& data, data::Split split,
                               const std::vector<int64_t>& indices,
                               const config::TestConfig& config, const std::string& during,
                               const std::function<void(const data::LoadedBatch&)>& visit);

// Clips times crops.
inline int64_t views_of(const config::TestConfig& config) { return config.clips * config.crops; }

// One centre clip a file.
inline const config::TestConfig kOneClip{.clips = 1};

// At most `count` of a split's indices, evenly spaced over it.
std::vector<int64_t> spread_indices(int64_t size, int64_t count);

}  // namespace avbench::stages
