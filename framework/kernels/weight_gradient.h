// The weight gradient of any 3D convolution, as sums of products without a copy of every window
// (im2col): the library's own falls to a slow path in channels_last_3d.
#pragma once

#include "kernels/volume.h"

namespace avbench::kernels {

struct ConvGeometry {
  Volume input;  // of the forward pass
  int64_t out_channels;
  Extent kernel, stride, padding;

  Volume output() const;
};

// gw [out, kT, kH, kW, in] for x and gy, the gradient of the output; float32, channels_last_3d.
// Doesn't depend on the number of threads.
void weight_gradient(const ConvGeometry& conv, const float* x, const float* gy, float* gw);

}  // namespace avbench::kernels
