#include "intra_negative.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "avbench/params.h"
#include "avbench/sample_random.h"

namespace avbench::iic {
namespace {

// The frames of each sample's negative, [B, T].
Tensor repeated_frames(const StepContext& context, const Tensor& index, int64_t frames) {
  return sample_integers(context, index, "repeat", 1, frames).expand({-1, frames});
}

Tensor shuffled_frames(const StepContext& context, const Tensor& index, int64_t frames) {
  const int64_t chunks = std::min<int64_t>(4, frames);
  const Tensor first = sample_integers(context, index, "first chunk", 1, chunks).cpu();
  const Tensor step = sample_integers(context, index, "second chunk", 1, chunks - 1).cpu();
  std::vector<Tensor> rows;
  for (int64_t i = 0; i < index.size(0); ++i) {
    std::vector<Tensor> pieces = at::arange(frames).tensor_split(chunks);
    const int64_t a = first.data_ptr<int64_t>()[i];
    std::swap(pieces[a], pieces[(a + 1 + step.data_ptr<int64_t>()[i]) % chunks]);
    rows.push_back(at::cat(pieces));
  }
  return at::stack(rows).to(index.device());
}

}  // namespace

Tensor intra_negatives(const Tensor& clips, const std::string& kind, const Tensor& index,
                       const StepContext& context) {
  TORCH_CHECK(clips.dim() == 5, "iic: got clips of shape ", clips.sizes(),
              ", expected [B, C, T, H, W]");
  const int64_t frames = clips.size(2);
  if (frames < 2) {
    usage_error(
        "iic: got clips of 1 frame, expected at least 2: an intra-negative of one frame "
        "is the clip itself; raise protocol.clip.frames");
  }
  const Tensor order = kind == "repeat" ? repeated_frames(context, index, frames)
                                        : shuffled_frames(context, index, frames);
  const Tensor negatives = at::empty_like(clips);
  for (int64_t i = 0; i < clips.size(0); ++i) {
    negatives[i].copy_(clips[i].index_select(1, order[i]));
  }
  return negatives;
}

}  // namespace avbench::iic
