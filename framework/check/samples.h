// The suite's own samples: small clips and spectrograms that depend on view and index alone.
#pragma once

#include <cstdint>
#include <vector>

#include "avbench/batch.h"
#include "avbench/views.h"

namespace avbench::check {

inline constexpr int64_t kBatchSize = 8;
inline constexpr int64_t kTrainSize = 2048;  // more than usual memory banks draw negatives

// The batch of a step: [8, 3, 4, 32, 32] a video view, [8, 3, 1, 32, 32] an audio view. Its indices
// are spread over the training split, and come again after three steps.
Batch step_batch(const Views& views, int64_t step, at::ScalarType type);

// The samples of the given indices.
Batch samples(const Views& views, const std::vector<int64_t>& indices, at::ScalarType type);

// Rows `rows` of everything in the batch, the index too.
Batch rows_of(const Batch& batch, const std::vector<int64_t>& rows);

// Every view's tensor replaced by change(tensor).
template <class F>
Batch with_views(Batch batch, const F& change) {
  for (auto* views : {&batch.video, &batch.audio}) {
    for (auto& [name, clip] : *views) clip = change(clip);
  }
  return batch;
}

}  // namespace avbench::check
