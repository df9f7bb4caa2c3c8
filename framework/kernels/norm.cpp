#include "kernels/norm.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>

#include "kernels/batch_norm.h"
#include "kernels/switch.h"

namespace avbench::kernels {
namespace {

using at::Tensor;

constexpr auto kLayout = at::MemoryFormat::ChannelsLast3d;

Tensor by_library(const Tensor& x, const NormState& state, const Tensor& residual, bool rectify) {
  Tensor y = at::batch_norm(x, state.weight, state.bias, state.running_mean, state.running_var,
                            state.training, state.momentum, state.epsilon,
                            at::globalContext().userEnabledCuDNN());
  // In place: batch norm's backward needs its input, not its output.
  if (residual.defined()) y.add_(residual);
  return rectify ? y.relu_() : y;
}

// Moments of x and how far they move the running ones; or the running ones themselves.
struct Statistics {
  explicit Statistics(const Tensor& x)
      : mean(at::empty({x.size(1)}, at::kDouble)), factor(at::empty({x.size(1)}, at::kDouble)) {}
  Tensor mean, factor;  // factor: 1 / sqrt(variance + epsilon)
};

int64_t positions_of(const Tensor& x) { return x.numel() / x.size(1); }

Statistics batch_statistics(const Tensor& x, const NormState& state) {
  Statistics result(x);
  const int64_t channels = x.size(1), positions = positions_of(x);
  auto* mean = result.mean.mutable_data_ptr<double>();
  auto* variance = result.factor.mutable_data_ptr<double>();
  batch_moments(positions, channels, x.const_data_ptr<float>(), mean, variance);
  auto* running_mean = state.running_mean.mutable_data_ptr<float>();
  auto* running_var = state.running_var.mutable_data_ptr<float>();
  const double unbiased = static_cast<double>(positions) / static_cast<double>(positions - 1);
  const double kept = 1 - state.momentum;
  for (int64_t c = 0; c < channels; ++c) {
    running_mean[c] = static_cast<float>(kept * running_mean[c] + state.momentum * mean[c]);
    running_var[c] =
        static_cast<float>(kept * running_var[c] + state.momentum * variance[c] * unbiased);
    variance[c] = 1 / std::sqrt(variance[c] + state.epsilon);
  }
  return result;
}

Statistics running_statistics(const Tensor& x, const NormState& state) {
  Statistics result(x);
  result.mean.copy_(state.running_mean);
  result.factor.copy_(state.running_var.to(at::kDouble).add_(state.epsilon).rsqrt_());
  return result;
}

Tensor normalize(const Tensor& x, const Statistics& statistics, const Tensor& weight,
                 const Tensor& bias, const std::optional<Tensor>& residual, bool rectify) {
  Tensor y = at::empty_like(x);
  batch_normalize(
      positions_of(x), x.size(1), x.const_data_ptr<float>(),
      statistics.mean.const_data_ptr<double>(), statistics.factor.const_data_ptr<double>(),
      weight.const_data_ptr<float>(), bias.const_data_ptr<float>(),
      residual ? residual->const_data_ptr<float>() : nullptr, rectify, y.mutable_data_ptr<float>());
  return y;
}

class TrainingNorm : public torch::autograd::Function<TrainingNorm> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x,
                        const Tensor& weight, const Tensor& bias,
                        const std::optional<Tensor>& residual, const NormState& state,
                        bool rectify) {
    const Tensor input = x.contiguous(kLayout);
    std::optional<Tensor> added;
    if (residual) added = residual->contiguous(kLayout);
    const Statistics statistics = batch_statistics(input, state);
    Tensor y = normalize(input, statistics, weight, bias, added, rectify);
    context->save_for_backward(
        {input, weight, statistics.mean, statistics.factor, rectify ? y : Tensor()});
    context->saved_data["residual"] = residual.has_value();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &y = saved[4];
    const Tensor gy = gradients[0].contiguous(kLayout);
    const bool has_residual = context->saved_data["residual"].toBool();
    Tensor gx = at::empty_like(x), gw = at::empty_like(weight), gb = at::empty_like(weight);
    // Without a rectifier the residual's gradient is gy itself.
    const bool own_residual = has_residual && y.defined();
    Tensor gr = own_residual ? at::empty_like(x) : Tensor();
    batch_normalize_backward(
        positions_of(x), x.size(1), x.const_data_ptr<float>(), gy.const_data_ptr<float>(),
        y.defined() ? y.const_data_ptr<float>() : nullptr, saved[2].const_data_ptr<double>(),
        saved[3].const_data_ptr<double>(), weight.const_data_ptr<float>(),
        {.x = gx.mutable_data_ptr<float>(),
         .weight = gw.mutable_data_ptr<float>(),
         .bias = gb.mutable_data_ptr<float>(),
         .residual = own_residual ? gr.mutable_data_ptr<float>() : nullptr});
    if (has_residual && !own_residual) gr = gy;
    return {gx, gw, gb, gr, Tensor(), Tensor()};
  }
};

// Everything else is LibTorch's: to compute, or to refuse in words that people know.
bool ours(const Tensor& x, const NormState& state, const Tensor& residual) {
  const auto plain = [](const Tensor& t) {
    return t.device().is_cpu() && t.scalar_type() == at::kFloat && t.layout() == at::kStrided;
  };
  if (!enabled() || at::autocast::is_autocast_enabled(at::kCPU) || x.dim() != 5) return false;
  if (!plain(x) || x.numel() == 0 || positions_of(x) < 2) return false;
  if (residual.defined() && !(plain(residual) && residual.sizes() == x.sizes())) return false;
  for (const Tensor& each : {state.weight, state.bias, state.running_mean, state.running_var}) {
    if (!plain(each) || each.dim() != 1 || each.size(0) != x.size(1)) return false;
  }
  return true;
}

}  // namespace

Tensor batch_norm(const Tensor& x, const NormState& state, const Tensor& residual, bool rectify) {
  if (!ours(x, state, residual)) return by_library(x, state, residual, rectify);
  const std::optional<Tensor> added = residual.defined() ? std::optional(residual) : std::nullopt;
  if (state.training) {
    return TrainingNorm::apply(x, state.weight, state.bias, added, state, rectify);
  }
  // With frozen statistics LibTorch differentiates; nobody trains so at length.
  if (at::GradMode::is_enabled()) return by_library(x, state, residual, rectify);
  std::optional<Tensor> contiguous;
  if (added) contiguous = added->contiguous(kLayout);
  const Tensor input = x.contiguous(kLayout);
  return normalize(input, running_statistics(input, state), state.weight, state.bias, contiguous,
                   rectify);
}

}  // namespace avbench::kernels
