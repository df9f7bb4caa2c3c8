// Which samples make up which batch.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/sampling.h"

namespace avbench::data {

struct BatchSampler {
  std::function<std::vector<SampleRequest>(int64_t batch)> requests;  // a pure function
  int64_t batches = 0;  // of one epoch (training), of the whole pass (evaluation)
};

// 0, 1, ..., n - 1.
std::vector<int64_t> all_indices(int64_t n);

// Training views of `indices` (of a split) in a new random order each epoch; batch b belongs to
// epoch b / sampler.batches, without end. The last partial batch of an epoch is dropped; with fewer
// indices than batch_size, a batch is all of them.
BatchSampler training_sampler(std::vector<int64_t> indices, int64_t batch_size, uint64_t seed);
BatchSampler training_sampler(int64_t n, int64_t batch_size, uint64_t seed);

// `clips` evaluation views of each of `indices`, in order, clips of a file side by side, and of
// each clip its `crops`; the last batch may be smaller.
BatchSampler evaluation_sampler(std::vector<int64_t> indices, int64_t clips, int64_t batch_size,
                                bool spread = true, int64_t crops = 1);
BatchSampler evaluation_sampler(int64_t n, int64_t clips, int64_t batch_size, bool spread = true);

}  // namespace avbench::data
