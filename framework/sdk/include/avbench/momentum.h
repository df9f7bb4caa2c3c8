// Momentum encoders: copies that follow trained modules as an exponential moving average.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/sequential.h>

#include <cstdint>

#include "avbench/export.h"

namespace avbench {

// A copy with its own parameters and buffers, not requiring gradients (heads; of the towers:
// Towers::momentum_copy).
AVBENCH_EXPORT torch::nn::Sequential momentum_copy(const torch::nn::Sequential& head);

// target = momentum * target + (1 - momentum) * source, for each parameter, matched by name.
// Buffers stay: a momentum encoder in training mode normalises with its own batches, and keeps
// running statistics of its own. Throws c10::Error if the names differ or momentum is outside
// [0, 1].
AVBENCH_EXPORT void ema_update(torch::nn::Module& target, const torch::nn::Module& source,
                               double momentum);

// From `base` at step 0 to 1 at total_steps along a half cosine:
// 1 - (1 - base) * (cos(pi * step / total_steps) + 1) / 2. Section 3.2, arXiv:2006.07733.
AVBENCH_EXPORT double cosine_momentum(double base, int64_t step, int64_t total_steps);

}  // namespace avbench
