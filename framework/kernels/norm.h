// Batch normalisation with what follows it in a network, for training: LibTorch's, or fused.
#pragma once

#include <ATen/core/Tensor.h>

namespace avbench::kernels {

struct NormState {
  at::Tensor weight, bias, running_mean, running_var;
  bool training;
  double momentum, epsilon;
};

// relu?(batch_norm(x) + residual), x [B, C, T, H, W]; residual of x's shape, or undefined. In
// training the running statistics move as in at::batch_norm: the mean, and the variance divided
// by one less than the number of values. Differentiable once.
at::Tensor batch_norm(const at::Tensor& x, const NormState& state, const at::Tensor& residual,
                      bool rectify);

}  // namespace avbench::kernels
