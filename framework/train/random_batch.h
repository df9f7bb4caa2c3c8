// Batches that no file is behind, laid out in memory as the loader's are.
#pragma once

#include <ATen/core/Generator.h>

#include <array>
#include <cstdint>
#include <functional>

#include "avbench/batch.h"
#include "avbench/views.h"

namespace avbench::train {

// Every view's tensor [B, C, T, H, W] from `clips`, which is asked in the order of the views.
Batch batch_of(const Views& views, const Tensor& index,
               const std::function<Tensor(const ViewSpec&)>& clips);

// Sizes of one sample: channels, frames, height, width.
struct SampleShape {
  std::array<int64_t, 4> video, audio;
};

// `rows` samples 0, 1, ... of uniform noise from 0 to 1.
Batch random_batch(const Views& views, int64_t rows, const SampleShape& shape,
                   const at::Generator& generator);

}  // namespace avbench::train
