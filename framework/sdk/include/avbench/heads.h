// Small modules that pretext losses share.
#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <string>
#include <vector>

#include "avbench/batch.h"
#include "avbench/export.h"

namespace avbench {

struct MlpOptions {
  bool batch_norm = false;         // after every hidden layer
  bool output_batch_norm = false;  // after the last layer, without affine parameters
  bool bias = true;                // where no batch norm follows, which would cancel it
};

// Linear layers sizes[0] -> ... -> sizes.back() with ReLU between: projectors and predictors.
// Throws if fewer than two sizes are given. In training a batch norm refuses a batch of one
// (UserError): the variance of one value says nothing.
AVBENCH_EXPORT torch::nn::Sequential mlp(const std::vector<int64_t>& sizes,
                                         const MlpOptions& options = {});

// A head for each modality: alike in shape, each with weights of its own. A handle: copies share
// the modules.
class AVBENCH_EXPORT HeadPair {
 public:
  // No heads: forward() returns its input.
  HeadPair() = default;

  // Two mlp(sizes, options), the video's first, registered with `owner` as NAME_video and
  // NAME_audio. Their parameters are in the owner's checkpoint under these names.
  HeadPair(torch::nn::Module& owner, const std::string& name, const std::vector<int64_t>& sizes,
           const MlpOptions& options = {});

  // Registers heads that exist already, under the same names.
  HeadPair(torch::nn::Module& owner, const std::string& name, torch::nn::Sequential video,
           torch::nn::Sequential audio);

  // [B, sizes[0]] -> [B, sizes.back()] of both modalities; an undefined tensor stays undefined.
  Pair forward(const Pair& x);

  explicit operator bool() const { return !video_.is_empty(); }
  torch::nn::Sequential video() const { return video_; }
  torch::nn::Sequential audio() const { return audio_; }

 private:
  torch::nn::Sequential video_{nullptr}, audio_{nullptr};
};

}  // namespace avbench
