// Batch normalisation over all but the channels, with the addition of a residual and the rectifier
// that follow it in one pass. float32 in channels_last order: [positions, channels].
//
// Statistics of chunks that fit the first cache are merged in double (Chan, Golub, LeVeque 1979),
// always in the same order: the same for any number of threads, and as accurate as the input.
#pragma once

#include <cstdint>

namespace avbench::kernels {

// mean and variance (divided by `positions`) of each channel.
void batch_moments(int64_t positions, int64_t channels, const float* x, double* mean,
                   double* variance);

// y = (x - mean) * factor * weight + bias [+ residual] [, rectified]; factor is 1 / sqrt(variance
// + epsilon) of each channel. residual may be null.
void batch_normalize(int64_t positions, int64_t channels, const float* x, const double* mean,
                     const double* factor, const float* weight, const float* bias,
                     const float* residual, bool rectify, float* y);

struct BatchNormGradient {
  float* x;
  float* weight;
  float* bias;
  float* residual;  // null: there was none
};

// The gradients of batch_normalize with the moments of x itself. y is its output where it was
// rectified, and null where it was not.
void batch_normalize_backward(int64_t positions, int64_t channels, const float* x, const float* gy,
                              const float* y, const double* mean, const double* factor,
                              const float* weight, const BatchNormGradient& gradient);

}  // namespace avbench::kernels
