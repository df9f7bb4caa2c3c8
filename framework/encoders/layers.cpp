#include "encoders/layers.h"

#include <c10/util/StringUtil.h>
#include <torch/nn/init.h>

#include <cmath>
#include <utility>

#include "io/error.h"
#include "kernels/conv3d.h"
#include "kernels/norm.h"

namespace avbench::encoders {
namespace {

constexpr double kMomentum = 0.1;
constexpr double kVarianceFloor = 1e-5;

// PyTorch's default, uniform within +-1/sqrt(fan_in), which the backbones' reference code keeps:
// the learning rates known from there apply.
void initialise(Tensor& parameter, int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  torch::nn::init::uniform_(parameter, -bound, bound);
}

}  // namespace

void Layer::tie_to(const Layer& owner) {
  weight_ = owner.weight_;
  bias_ = owner.bias_;
  parameters_.clear();
}

Conv3d::Conv3d(const ConvShape& shape) : shape_(shape) {
  const auto& [t, h, w] = shape.kernel;
  const int64_t fan_in = shape.in * t * h * w;
  // Drawn in logical order, so that the values do not depend on the layout.
  Tensor weight = at::empty({shape.out, shape.in, t, h, w});
  initialise(weight, fan_in);
  weight_ = register_parameter(
      "weight", at::empty_like(weight, at::MemoryFormat::ChannelsLast3d).copy_(weight));
  if (shape.bias) {
    Tensor bias = at::empty({shape.out});
    initialise(bias, fan_in);
    bias_ = register_parameter("bias", bias);
  }
}

Tensor Conv3d::forward(const Tensor& x) {
  return kernels::conv3d(x, weight_, bias_, shape_.stride, shape_.padding);
}

BatchNorm::BatchNorm(int64_t channels) {
  weight_ = register_parameter("weight", at::ones({channels}));
  bias_ = register_parameter("bias", at::zeros({channels}));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
}

Tensor BatchNorm::forward(const Tensor& x) { return normalize(x, Tensor(), false); }

Tensor BatchNorm::rectified(const Tensor& x, const Tensor& residual) {
  return normalize(x, residual, true);
}

Tensor BatchNorm::normalize(const Tensor& x, const Tensor& residual, bool rectify) {
  if (is_training() && x.numel() == x.size(1)) {
    throw io::UserError(c10::str(
        "batch norm: got one value a channel in training (feature map of shape ", x.sizes(),
        "), whose variance is undefined; use a larger batch, a ", "longer clip or a larger crop"));
  }
  return kernels::batch_norm(x,
                             {.weight = weight_,
                              .bias = bias_,
                              .running_mean = running_mean_,
                              .running_var = running_var_,
                              .training = is_training(),
                              .momentum = is_training() ? momentum() : 0,
                              .epsilon = kVarianceFloor},
                             residual, rectify);
}

void BatchNorm::start_average() {
  averaging_ = true;
  averaged_ = 0;
}

// The k-th batch weighs 1/k. What was there before is wiped first: 0 * NaN would survive.
double BatchNorm::momentum() {
  if (!averaging_) return kMomentum;
  if (averaged_ == 0) {
    running_mean_.zero_();
    running_var_.zero_();
  }
  return 1.0 / static_cast<double>(++averaged_);
}

ConvBn::ConvBn(std::shared_ptr<Layer> conv, int64_t channels)
    : conv_(register_module("conv", std::move(conv))),
      bn_(register_module("bn", std::make_shared<BatchNorm>(channels))) {}

Tensor ConvBn::forward(const Tensor& x) { return bn_->forward(conv_->forward(x)); }

Tensor ConvBn::rectified(const Tensor& x) { return bn_->rectified(conv_->forward(x)); }

void tie_parameters(torch::nn::Module& module, const torch::nn::Module& owner) {
  const auto layers = module.modules();
  const auto owners = owner.modules();
  TORCH_CHECK(layers.size() == owners.size(), "architectures differ: ", layers.size(),
              " modules, the owner has ", owners.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    if (auto* layer = layers[i]->as<Layer>()) layer->tie_to(*owners[i]->as<Layer>());
  }
}

}  // namespace avbench::encoders
