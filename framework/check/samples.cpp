#include "check/samples.h"

#include <ATen/ATen.h>

#include <string>

#include "tensors/seeds.h"
#include "train/random_batch.h"

namespace avbench::check {
namespace {

constexpr int64_t kPool = 3 * kBatchSize;  // samples in use
constexpr int64_t kFrames = 4, kCells = 4, kCellSize = 8;

// A coarse random pattern, so that samples differ after pooling too.
Tensor clip(const ViewSpec& view, int64_t index) {
  const bool video = view.modality == Modality::kVideo;
  const uint64_t seed =
      tensors::derive_seed(video ? 1 : 2, view.name, static_cast<uint64_t>(index));
  const Tensor cells =
      at::rand({3, video ? kFrames : 1, kCells, kCells}, tensors::make_generator(seed));
  return cells.repeat_interleave(kCellSize, 2).repeat_interleave(kCellSize, 3);
}

}  // namespace

Batch samples(const Views& views, const std::vector<int64_t>& indices, at::ScalarType type) {
  return train::batch_of(views, at::tensor(indices, at::kLong), [&](const ViewSpec& view) {
    std::vector<Tensor> clips;
    for (const int64_t index : indices) clips.push_back(clip(view, index));
    return at::stack(clips).to(type);
  });
}

Batch step_batch(const Views& views, int64_t step, at::ScalarType type) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < kBatchSize; ++i) {
    const int64_t place = (step * kBatchSize + i) % kPool;
    indices.push_back(place * 1021 % kTrainSize);  // 1021 is odd: no index twice
  }
  return samples(views, indices, type);
}

Batch rows_of(const Batch& batch, const std::vector<int64_t>& rows) {
  const Tensor chosen = at::tensor(rows, at::kLong);
  Batch result = with_views(batch, [&](const Tensor& clip) {
    return clip.index_select(0, chosen).contiguous(at::MemoryFormat::ChannelsLast3d);
  });
  result.index = batch.index.index_select(0, chosen);
  return result;
}

}  // namespace avbench::check
