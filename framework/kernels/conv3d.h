// 3D convolution for training: LibTorch's, or kernels of this folder where they are faster.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "kernels/weight_gradient.h"

namespace avbench::kernels {

enum class Algorithm { kLibrary, kDirect, kWinograd };
const char* name_of(Algorithm algorithm);

// What computes each of the three passes of a layer. Depends on the shape alone.
struct ConvPlan {
  Algorithm forward, input_gradient, weight_gradient;
};
ConvPlan plan_conv(const ConvGeometry& conv);

// at::conv3d, differentiable once. x [B, C, T, H, W], weight [O, C, kT, kH, kW]; bias [O] or
// undefined. Taps in time that only ever meet padding (all but the middle one of a spectrogram)
// are left out of the computation; their gradient is zero. float32 CPU tensors take the plan's
// kernels, and then the result lies in channels_last_3d; all others go to LibTorch, which throws
// c10::Error for shapes that do not fit.
at::Tensor conv3d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const Extent& stride, const Extent& padding);

// A layer that conv3d() computes, and which gradients will be asked for.
struct ConvCall {
  ConvGeometry geometry;
  ConvPlan plan;
  bool input_gradient, weight_gradient;

  // Multiplications and additions of the passes, counted as for the direct sum.
  double flops() const;
};

// For its own lifetime `see` is called with every layer that this thread computes.
class ConvObserver {
 public:
  explicit ConvObserver(std::function<void(const ConvCall&)> see);
  ~ConvObserver();
  ConvObserver(const ConvObserver&) = delete;
  ConvObserver& operator=(const ConvObserver&) = delete;
};

}  // namespace avbench::kernels
