// A backbone: one clip of frames or one spectrogram in, a feature vector and feature maps out.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "avbench/batch.h"
#include "config/encoder_config.h"

namespace avbench::encoders {

class Encoder : public torch::nn::Module {
 public:
  // [B, channels, T, H, W], any T >= 1, brought to channels_last_3d if it is not. Throws UserError
  // where H or W is too small for the architecture.
  TowerOutput forward(const Tensor& clip);

  int64_t feature_dim() const { return tap_channels("pooled"); }

  // Channels of "conv3", "conv4", "conv5" or "pooled"; throws UserError for any other name.
  int64_t tap_channels(const std::string& tap) const;

 protected:
  struct Traits {
    config::Backbone backbone;
    int64_t channels;             // of the input
    int64_t conv3, conv4, conv5;  // channels
    int64_t min_size = 1;         // of H and W
  };
  explicit Encoder(Traits traits);

  // "conv3", "conv4" and "conv5" of a clip in channels_last_3d. Nobody may write into them later:
  // activations are rectified in place before they are handed on.
  virtual std::map<std::string, Tensor> feature_maps(const Tensor& clip) = 0;

 private:
  Traits traits_;
};

// `width` channels in the first stage (64: the published network), all others in proportion;
// `channels` enter its stem. Weights are drawn from the default CPU generator.
std::shared_ptr<Encoder> make_encoder(config::Backbone backbone, int64_t width,
                                      int64_t channels = 3);

}  // namespace avbench::encoders
