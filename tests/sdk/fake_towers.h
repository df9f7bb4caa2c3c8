// Towers small enough for tests: each a linear layer on the flattened input.
#pragma once

#include <torch/nn/modules/linear.h>

#include "avbench/towers.h"

namespace avbench {

class FakeTowers : public Towers {
 public:
  // `bent`: a tanh follows, so that no batch norm behind it cancels a bias.
  FakeTowers(int64_t inputs, int64_t dim, bool bent = false)
      : inputs_(inputs),
        dim_(dim),
        bent_(bent),
        video_(register_module("video", torch::nn::Linear(inputs, dim))),
        audio_(register_module("audio", torch::nn::Linear(inputs, dim))) {}

  // As the real towers: what the batch does not hold stays undefined.
  Features forward(const Batch& batch, const std::string& view = kBaseView) override {
    Features features;
    if (batch.video.contains(view)) features.video.pooled = run(video_, batch.video.at(view));
    if (batch.audio.contains(view)) features.audio.pooled = run(audio_, batch.audio.at(view));
    return features;
  }
  int64_t feature_dim() const override { return dim_; }
  int64_t tap_channels(const std::string&) const override { return dim_; }
  std::shared_ptr<Towers> momentum_copy() const override {
    const at::NoGradGuard no_grad;
    auto copy = std::make_shared<FakeTowers>(inputs_, dim_, bent_);
    const auto mine = named_parameters();
    copy->to(mine.front().value().scalar_type());
    for (auto& parameter : copy->named_parameters()) {
      parameter.value().copy_(mine[parameter.key()]);
      parameter.value().requires_grad_(false);
    }
    copy->train(is_training());
    return copy;
  }

 private:
  Tensor run(torch::nn::Linear& layer, const Tensor& input) const {
    const Tensor output = layer->forward(input.flatten(1));
    return bent_ ? output.tanh() : output;
  }

  int64_t inputs_, dim_;
  bool bent_;
  torch::nn::Linear video_, audio_;
};

// Clips of `inputs` frames of one pixel, and as many numbers of audio.
inline Batch fake_batch(int64_t size, int64_t inputs) {
  return {{{kBaseView, at::randn({size, 1, inputs, 1, 1})}},
          {{kBaseView, at::randn({size, inputs})}},
          at::arange(size)};
}

}  // namespace avbench
