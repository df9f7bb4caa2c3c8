#include "train/random_batch.h"

#include <ATen/ATen.h>

namespace avbench::train {

Batch batch_of(const Views& views, const Tensor& index,
               const std::function<Tensor(const ViewSpec&)>& clips) {
  Batch batch;
  batch.index = index;
  for (const ViewSpec& view : views) {
    auto& tensors = view.modality == Modality::kVideo ? batch.video : batch.audio;
    tensors[view.name] = clips(view).contiguous(at::MemoryFormat::ChannelsLast3d);
  }
  return batch;
}

Batch random_batch(const Views& views, int64_t rows, const SampleShape& shape,
                   const at::Generator& generator) {
  return batch_of(views, at::arange(rows), [&](const ViewSpec& view) {
    const auto [channels, frames, height, width] =
        view.modality == Modality::kVideo ? shape.video : shape.audio;
    return at::rand({rows, channels, frames, height, width}, generator);
  });
}

}  // namespace avbench::train
