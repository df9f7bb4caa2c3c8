// Batch normalisation of a few rows [rows, channels] at a time, in vectors. What a caller gives is
// small enough for the first cache, so that sums in float32 over the rows are short.
#pragma once

#include <cstdint>

namespace avbench::kernels {

struct Rows {
  int64_t count, channels;
};

// mean[c] and the sum of squared deviations from it.
void row_moments(Rows rows, const float* x, float* mean, float* squares);

// y = (x - mean) * scale + shift [+ residual] [, rectified]. residual may be null.
void normalize_rows(Rows rows, const float* x, const float* mean, const float* scale,
                    const float* shift, const float* residual, bool rectify, float* y);

// The gradient that reaches the normalised value: gy, or zero where it was rectified.
struct RectifiedGradient {
  const float* gy;
  const float* y;  // null: nothing was rectified
};

// sum[c] of that gradient, and of the gradient times (x - mean). Writes the gradient itself to
// `through` unless that is null.
void row_gradient_sums(Rows rows, const float* x, const RectifiedGradient& gradient,
                       const float* mean, float* sum, float* sum_deviation, float* through);

// gx = gradient * scale + (x - mean) * slope + offset.
void row_input_gradient(Rows rows, const float* x, const RectifiedGradient& gradient,
                        const float* mean, const float* scale, const float* slope,
                        const float* offset, float* gx);

}  // namespace avbench::kernels
