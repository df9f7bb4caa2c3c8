// Towers small enough for tests: each a linear layer on the flattened input.
#pragma once

#include <torch/nn/modules/linear.h>

#include "avbench/towers.h"

namespace avbench {

class FakeTowers : public Towers {
 public:
  FakeTowers(int64_t inputs, int64_t dim)
      : inputs_(inputs),
        dim_(dim),
        video_(register_module("video", torch::nn::Linear(inputs, dim))),
        audio_(register_module("audio", torch::nn::Linear(inputs, dim))) {}

  Features forward(const Batch& batch, const std::string& view = kBaseView) override {
    Features features;
    features.video.pooled = video_->forward(batch.video.at(view).flatten(1));
    features.audio.pooled = audio_->forward(batch.audio.at(view).flatten(1));
    return features;
  }
  int64_t feature_dim() const override { return dim_; }
  int64_t tap_channels(const std::string&) const override { return dim_; }
  std::shared_ptr<Towers> momentum_copy() const override {
    return std::make_shared<FakeTowers>(inputs_, dim_);
  }

 private:
  int64_t inputs_, dim_;
  torch::nn::Linear video_, audio_;
};

inline Batch fake_batch(int64_t size, int64_t inputs) {
  return {{{kBaseView, at::randn({size, inputs})}},
          {{kBaseView, at::randn({size, inputs})}},
          at::arange(size)};
}

}  // namespace avbench
