// Small modules that pretext losses share.
#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <vector>

#include "avbench/export.h"

namespace avbench {

struct MlpOptions {
  bool batch_norm = false;         // after every hidden layer
  bool output_batch_norm = false;  // after the last layer, without affine parameters
  bool bias = true;                // of layers that no batch norm follows: it would cancel it
};

// Linear layers sizes[0] -> ... -> sizes.back() with ReLU between: projectors and predictors.
// Throws if fewer than two sizes are given. In training a batch norm refuses a batch of one
// (UserError): the variance of one value says nothing.
AVBENCH_EXPORT torch::nn::Sequential mlp(const std::vector<int64_t>& sizes,
                                         const MlpOptions& options = {});

}  // namespace avbench
