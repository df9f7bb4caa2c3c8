// What a method gets: views of the samples, features of the towers, the loss it gives back.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "avbench/export.h"

namespace avbench {

using at::Tensor;

// The view that every method gets, drawn the same for all methods of a comparison.
inline constexpr const char* kBaseView = "base";

// One step's samples; row i of every tensor is sample index[i]. Valid until after_step.
struct Batch {
  std::map<std::string, Tensor> video;  // by view name: [B, 3, T, H, W], channels_last_3d, [0, 1]
  std::map<std::string, Tensor> audio;  // by view name: [B, C, 1 or T, H, W], channels_last_3d
  Tensor index;                         // [B] int64, contiguous over the training split
};

// The given rows (int64) of every tensor, laid out in memory as they were.
AVBENCH_EXPORT Batch select_rows(const Batch& batch, const Tensor& rows);

// One modality's output of its tower.
struct TowerOutput {
  Tensor pooled;                       // [B, D] after global average pooling
  std::map<std::string, Tensor> taps;  // "conv3", "conv4", "conv5": [B, C, T', H', W']
};

// Undefined `pooled` where the batch has no such modality.
struct Features {
  TowerOutput video, audio;
};

// One tensor of each modality: features, embeddings, keys.
struct Pair {
  Tensor video, audio;

  // f of both, the video's first; what is undefined stays undefined.
  template <class F>
  Pair map(const F& f) const {
    return {video.defined() ? f(video) : video, audio.defined() ? f(audio) : audio};
  }

  Pair detach() const {
    return map([](const Tensor& x) { return x.detach(); });
  }
};

// The pooled features of both modalities, without the taps.
inline Pair pooled(const Features& features) {
  return {features.video.pooled, features.audio.pooled};
}

// Tensors by name.
class AVBENCH_EXPORT NamedTensors : public std::map<std::string, Tensor> {
 public:
  using std::map<std::string, Tensor>::map;

  // Throws std::out_of_range, with the nearest name and all there are, if `name` is not among them.
  const Tensor& at(const std::string& name) const;
  Tensor& at(const std::string& name);
};

// parts are detached and logged by name; total is what is differentiated.
struct Loss {
  Tensor total;  // scalar
  std::vector<std::pair<std::string, Tensor>> parts;
  NamedTensors inputs;  // what the pure loss was given, for `avbench check`; see with_inputs
};

}  // namespace avbench
