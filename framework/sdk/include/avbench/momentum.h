// Momentum encoders: copies that follow trained modules as an exponential moving average.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <memory>
#include <string>

#include "avbench/export.h"
#include "avbench/heads.h"
#include "avbench/towers.h"

namespace avbench {

// A copy of a head with its own parameters and buffers, not requiring gradients. The towers have
// Towers::momentum_copy.
AVBENCH_EXPORT torch::nn::Sequential momentum_copy(const torch::nn::Sequential& head);

// target = momentum * target + (1 - momentum) * source, for each parameter, matched by name.
// Buffers stay: a momentum encoder in training mode normalises with its own batches, and keeps
// running statistics of its own. Throws c10::Error if the names differ or momentum is outside
// [0, 1].
AVBENCH_EXPORT void ema_update(torch::nn::Module& target, const torch::nn::Module& source,
                               double momentum);

// The towers and heads of a method as a momentum encoder, registered with `owner` as NAME_towers,
// NAME_video and NAME_audio, none of which requires a gradient. It begins equal to what it follows.
class AVBENCH_EXPORT MomentumEncoder {
 public:
  MomentumEncoder(torch::nn::Module& owner, const std::string& name,
                  const std::shared_ptr<Towers>& towers, const HeadPair& heads);

  Towers& towers() { return *towers_; }
  HeadPair& heads() { return heads_; }

  // ema_update of towers and heads.
  void follow(double momentum);

 private:
  std::shared_ptr<Towers> trained_towers_, towers_;
  HeadPair trained_heads_, heads_;
};

// From `base` at step 0 to 1 at total_steps along a half cosine:
// 1 - (1 - base) * (cos(pi * step / total_steps) + 1) / 2. Section 3.2, arXiv:2006.07733.
AVBENCH_EXPORT double cosine_momentum(double base, int64_t step, int64_t total_steps);

}  // namespace avbench
