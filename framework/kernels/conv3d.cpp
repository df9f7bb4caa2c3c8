#include "kernels/conv3d.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>

#include "kernels/switch.h"
#include "kernels/winograd.h"
#include "kernels/winograd_blocks.h"

namespace avbench::kernels {
namespace {

using at::Tensor;

constexpr auto kLayout = at::MemoryFormat::ChannelsLast3d;

ConvGeometry geometry_of(const Tensor& x, const Tensor& weight, const Extent& stride,
                         const Extent& padding) {
  return {.input = {x.size(0), x.size(2), x.size(3), x.size(4), x.size(1)},
          .out_channels = weight.size(0),
          .kernel = {weight.size(2), weight.size(3), weight.size(4)},
          .stride = stride,
          .padding = padding};
}

WinogradConv winograd_of(const ConvGeometry& conv) {
  return {conv.input, conv.out_channels, conv.kernel[0], conv.padding};
}

Tensor forward_pass(const ConvGeometry& conv, const Tensor& x, const Tensor& weight,
                    const std::optional<Tensor>& bias) {
  if (plan_conv(conv).forward == Algorithm::kLibrary) {
    return at::conv3d(x, weight, bias, conv.stride, conv.padding);
  }
  const Volume out = conv.output();
  const Tensor y = at::empty({out.batch, out.channels, out.frames, out.height, out.width},
                             x.options().memory_format(kLayout));
  winograd_forward(winograd_of(conv), x.const_data_ptr<float>(), weight.const_data_ptr<float>(),
                   bias ? bias->const_data_ptr<float>() : nullptr, y.mutable_data_ptr<float>());
  return y;
}

Tensor library_gradient(const ConvGeometry& conv, const Tensor& gy, const Tensor& x,
                        const Tensor& weight, bool for_input) {
  const auto [gx, gw, gb] =
      at::convolution_backward(gy, x, weight, std::nullopt, conv.stride, conv.padding, {1, 1, 1},
                               false, {0, 0, 0}, 1, {for_input, !for_input, false});
  return for_input ? gx : gw;
}

Tensor input_gradient(const ConvGeometry& conv, const Tensor& gy, const Tensor& x,
                      const Tensor& weight) {
  if (plan_conv(conv).input_gradient == Algorithm::kLibrary) {
    return library_gradient(conv, gy, x, weight, true);
  }
  Tensor gx = at::empty_like(x);
  winograd_input_gradient(winograd_of(conv), gy.const_data_ptr<float>(),
                          weight.const_data_ptr<float>(), gx.mutable_data_ptr<float>());
  return gx;
}

Tensor weight_gradient_of(const ConvGeometry& conv, const Tensor& gy, const Tensor& x,
                          const Tensor& weight) {
  const Algorithm algorithm = plan_conv(conv).weight_gradient;
  if (algorithm == Algorithm::kLibrary) return library_gradient(conv, gy, x, weight, false);
  Tensor gw = at::empty_like(weight);
  const auto* from = x.const_data_ptr<float>();
  const auto* gradient = gy.const_data_ptr<float>();
  auto* to = gw.mutable_data_ptr<float>();
  if (algorithm == Algorithm::kWinograd) {
    winograd_weight_gradient(winograd_of(conv), from, gradient, to);
  } else {
    weight_gradient(conv, from, gradient, to);
  }
  return gw;
}

Tensor cut(const Tensor& weight, const TapRange& used) {
  const int64_t taps = used.end - used.begin;
  return taps == weight.size(2) ? weight : weight.narrow(2, used.begin, taps);
}

class Convolution : public torch::autograd::Function<Convolution> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x,
                        const Tensor& weight, const std::optional<Tensor>& bias,
                        const std::vector<int64_t>& stride, const std::vector<int64_t>& padding,
                        const TapRange& used) {
    const Tensor input = x.contiguous(kLayout);
    const Tensor kernel = cut(weight, used).contiguous(kLayout);
    context->saved_data["taps"] = weight.size(2);
    context->saved_data["first_tap"] = used.begin;
    context->save_for_backward({input, kernel});
    context->saved_data["bias"] = bias.has_value();
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return forward_pass(geometry_of(input, kernel, extent(stride), extent(padding)), input, kernel,
                        bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const ConvGeometry conv =
        geometry_of(x, weight, extent(context->saved_data["stride"].toIntVector()),
                    extent(context->saved_data["padding"].toIntVector()));
    const Tensor gy = gradients[0].contiguous(kLayout);
    Tensor gx, gw, gb;
    if (context->needs_input_grad(0)) gx = input_gradient(conv, gy, x, weight);
    if (context->needs_input_grad(1)) {
      gw = with_all_taps(weight_gradient_of(conv, gy, x, weight),
                         context->saved_data["taps"].toInt(),
                         context->saved_data["first_tap"].toInt());
    }
    // An input that isn't there has no number.
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2))
      gb = gy.sum({0, 2, 3, 4});
    return {gx, gw, gb, Tensor(), Tensor(), Tensor()};
  }

 private:
  static Tensor with_all_taps(const Tensor& gradient, int64_t taps, int64_t first) {
    if (gradient.size(2) == taps) return gradient;
    std::vector<int64_t> sizes = gradient.sizes().vec();
    sizes[2] = taps;
    Tensor all = at::empty(sizes, gradient.options().memory_format(kLayout)).zero_();
    all.narrow(2, first, gradient.size(2)).copy_(gradient);
    return all;
  }

  static Extent extent(const std::vector<int64_t>& values) {
    return {values[0], values[1], values[2]};
  }
};

thread_local std::function<void(const ConvCall&)> observer;

ConvCall call_of(const Tensor& x, const Tensor& weight, const TapRange& used, const Extent& stride,
                 const Extent& padding, bool own) {
  constexpr ConvPlan kAllLibrary{Algorithm::kLibrary, Algorithm::kLibrary, Algorithm::kLibrary};
  const ConvGeometry geometry = geometry_of(x, cut(weight, used), stride, padding);
  const bool training = at::GradMode::is_enabled();
  return {geometry, own ? plan_conv(geometry) : kAllLibrary, training && x.requires_grad(),
          training && weight.requires_grad()};
}

// What LibTorch would compute. The rest it refuses, in words that people know.
bool well_formed(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extent& stride,
                 const Extent& padding) {
  if (x.dim() != 5 || weight.dim() != 5 || x.size(1) != weight.size(1)) return false;
  if (x.numel() == 0 || weight.numel() == 0) return false;
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0))) return false;
  for (size_t axis = 0; axis < 3; ++axis) {
    const auto at = static_cast<int64_t>(axis) + 2;
    if (stride[axis] < 1 || padding[axis] < 0) return false;
    if (x.size(at) + 2 * padding[axis] < weight.size(at)) return false;
  }
  return true;
}

bool ours(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const auto plain = [](const Tensor& t) {
    return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.layout() == at::kStrided;
  };
  return enabled() && plain(x) && plain(weight) && (!bias.defined() || plain(bias)) &&
         !at::autocast::is_autocast_enabled(at::kCPU);
}

}  // namespace

double ConvCall::flops() const {
  const Volume out = geometry.output();
  const auto& [t, h, w] = geometry.kernel;
  const auto products =
      static_cast<double>(out.size()) * static_cast<double>(geometry.input.channels * t * h * w);
  return 2 * products * (1 + (input_gradient ? 1 : 0) + (weight_gradient ? 1 : 0));
}

ConvObserver::ConvObserver(std::function<void(const ConvCall&)> see) { observer = std::move(see); }

ConvObserver::~ConvObserver() { observer = nullptr; }

const char* name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kLibrary:
      return "LibTorch";
    case Algorithm::kDirect:
      return "direct";
    case Algorithm::kWinograd:
      return "Winograd";
  }
  return "";
}

// Measured (docs/performance.md). Winograd transforms the weights once a pass, which needs enough
// rows of tiles to pay; its weight gradient has no such cost.
ConvPlan plan_conv(const ConvGeometry& conv) {
  const Volume out = conv.output();
  const bool fits = conv.kernel[1] == 3 && conv.kernel[2] == 3 && conv.stride == Extent{1, 1, 1} &&
                    conv.padding[1] <= 2 && conv.padding[2] <= 2 &&
                    conv.padding[0] < conv.kernel[0];
  constexpr int64_t kFewestTiles = 96, kFewestChannels = 8;
  const bool wide = conv.input.channels >= kFewestChannels && out.channels >= kFewestChannels;
  ConvPlan plan{Algorithm::kLibrary, Algorithm::kLibrary, Algorithm::kDirect};
  if (fits && wide) {
    if (tiles_of(out) >= kFewestTiles) plan.forward = Algorithm::kWinograd;
    if (tiles_of(conv.input) >= kFewestTiles) plan.input_gradient = Algorithm::kWinograd;
    plan.weight_gradient = Algorithm::kWinograd;
  }
  return plan;
}

Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Extent& stride,
              const Extent& padding) {
  const std::optional<Tensor> shift = bias.defined() ? std::optional(bias) : std::nullopt;
  if (!well_formed(x, weight, bias, stride, padding)) {
    return at::conv3d(x, weight, shift, stride, padding);
  }
  Extent pad = padding;
  const int64_t taps = weight.size(2);
  TapRange used{0, taps};
  // A single output frame: only the taps that meet the input count.
  if ((x.size(2) + 2 * padding[0] - taps) / stride[0] == 0) {
    used = taps_of(0, stride[0], padding[0], taps, x.size(2));
    // What is cut off before the first tap was padding, and so was what lies behind the last.
    if (used.end - used.begin < taps) pad[0] = 0;
  }
  const bool own = ours(x, weight, bias);
  if (observer) observer(call_of(x, weight, used, stride, pad, own));
  if (!own) return at::conv3d(x, cut(weight, used), shift, stride, pad);
  return Convolution::apply(x, weight, shift, std::vector<int64_t>(stride.begin(), stride.end()),
                            std::vector<int64_t>(pad.begin(), pad.end()), used);
}

}  // namespace avbench::kernels
