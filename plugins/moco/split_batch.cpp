#include "split_batch.h"

#include <ATen/ATen.h>

#include "avbench/params.h"
#include "avbench/sample_random.h"

namespace avbench::moco {

Pair encode_in_parts(const Batch& batch, const StepContext& context, int64_t parts,
                     const std::function<Pair(const Batch&)>& encode) {
  const int64_t size = batch.index.size(0);
  if (parts > size) {
    usage_error("moco: got split_bn " + std::to_string(parts) + " for a batch of " +
                std::to_string(size) + ", expected at most " + std::to_string(size));
  }
  const Tensor draws = sample_integers(context, batch.index, "split_bn", 1, INT64_MAX);
  const Tensor order = draws.squeeze(1).argsort();
  std::vector<Tensor> video, audio;
  for (const Tensor& rows : order.tensor_split(parts)) {
    const Pair part = encode(select_rows(batch, rows));
    video.push_back(part.video);
    audio.push_back(part.audio);
  }
  const Tensor back = order.argsort();
  return {at::cat(video).index_select(0, back), at::cat(audio).index_select(0, back)};
}

}  // namespace avbench::moco
