// R(2+1)D: the residual layout with each convolution factored into space and time, with BN and
// ReLU between. arXiv:1711.11248, section 3.5.
#include <algorithm>

#include "encoders/architectures.h"
#include "encoders/residual.h"

namespace avbench::encoders {
namespace {

// As many parameters as the full convolution would have; rounded down, at least one channel.
int64_t middle_channels(const ConvShape& shape) {
  const auto& [t, h, w] = shape.kernel;
  const int64_t full = t * h * w * shape.in * shape.out;
  return std::max<int64_t>(1, full / (h * w * shape.in + t * shape.out));
}

class FactoredConv : public Layer {
 public:
  explicit FactoredConv(const ConvShape& shape) {
    const auto& [kt, kh, kw] = shape.kernel;
    const auto& [st, sh, sw] = shape.stride;
    const auto& [pt, ph, pw] = shape.padding;
    const int64_t middle = middle_channels(shape);
    spatial_ =
        register_module("spatial", std::make_shared<Conv3d>(ConvShape{
                                       shape.in, middle, {1, kh, kw}, {1, sh, sw}, {0, ph, pw}}));
    bn_ = register_module("bn", std::make_shared<BatchNorm>(middle));
    temporal_ = register_module(
        "temporal",
        std::make_shared<Conv3d>(ConvShape{middle, shape.out, {kt, 1, 1}, {st, 1, 1}, {pt, 0, 0}}));
  }

  Tensor forward(const Tensor& x) override {
    return temporal_->forward(bn_->rectified(spatial_->forward(x)));
  }

 private:
  std::shared_ptr<Layer> spatial_, temporal_;
  std::shared_ptr<BatchNorm> bn_;
};

}  // namespace

std::shared_ptr<Encoder> make_r2plus1d(int64_t width, int64_t channels) {
  return make_residual_encoder(
      config::Backbone::kR2plus1d, width, channels,
      [](const ConvShape& shape) { return std::make_shared<FactoredConv>(shape); });
}

}  // namespace avbench::encoders
