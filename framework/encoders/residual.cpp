#include "encoders/residual.h"

namespace avbench::encoders {
namespace {

// conv-BN-ReLU-conv-BN, plus the input, ReLU. Where time, height and width are halved the input
// comes through a 1x1x1 convolution and BN.
class ResidualBlock : public Layer {
 public:
  ResidualBlock(const ConvFactory& conv, int64_t in, int64_t out, int64_t stride) {
    const Extent s{stride, stride, stride};
    conv1_ = register_module("conv1", conv({in, out, {3, 3, 3}, s, {1, 1, 1}}));
    bn1_ = register_module("bn1", std::make_shared<BatchNorm>(out));
    conv2_ = register_module("conv2", conv({out, out, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}}));
    bn2_ = register_module("bn2", std::make_shared<BatchNorm>(out));
    if (stride == 1) return;
    shortcut_ =
        register_module("shortcut", std::make_shared<ConvBn>(conv({in, out, {1, 1, 1}, s}), out));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor y = bn1_->rectified(conv1_->forward(x));
    return bn2_->rectified(conv2_->forward(y), shortcut_ ? shortcut_->forward(x) : x);
  }

 private:
  std::shared_ptr<Layer> conv1_, conv2_, shortcut_;
  std::shared_ptr<BatchNorm> bn1_, bn2_;
};

class ResidualEncoder : public Encoder {
 public:
  ResidualEncoder(config::Backbone backbone, int64_t w, int64_t channels, const ConvFactory& conv)
      : Encoder({.backbone = backbone,
                 .channels = channels,
                 .conv3 = 2 * w,
                 .conv4 = 4 * w,
                 .conv5 = 8 * w}) {
    stem_ = register_module(
        "stem", std::make_shared<ConvBn>(conv({channels, w, {3, 7, 7}, {1, 2, 2}, {1, 3, 3}}), w));
    // stage, channels in and out, stride; a clip of 16 x 112 x 112 becomes
    conv2_ = stage("conv2", conv, w, w, 1);          //  w x 16 x 56 x 56
    conv3_ = stage("conv3", conv, w, 2 * w, 2);      // 2w x  8 x 28 x 28
    conv4_ = stage("conv4", conv, 2 * w, 4 * w, 2);  // 4w x  4 x 14 x 14
    conv5_ = stage("conv5", conv, 4 * w, 8 * w, 2);  // 8w x  2 x  7 x  7
  }

 private:
  std::shared_ptr<Layer> stage(const std::string& name, const ConvFactory& conv, int64_t in,
                               int64_t out, int64_t stride) {
    auto blocks = register_module(name, std::make_shared<torch::nn::Module>());
    return blocks->register_module("block1",
                                   std::make_shared<ResidualBlock>(conv, in, out, stride));
  }

  std::map<std::string, Tensor> feature_maps(const Tensor& clip) override {
    const Tensor conv3 = conv3_->forward(conv2_->forward(stem_->rectified(clip)));
    const Tensor conv4 = conv4_->forward(conv3);
    return {{"conv3", conv3}, {"conv4", conv4}, {"conv5", conv5_->forward(conv4)}};
  }

  std::shared_ptr<ConvBn> stem_;
  std::shared_ptr<Layer> conv2_, conv3_, conv4_, conv5_;
};

}  // namespace

std::shared_ptr<Encoder> make_residual_encoder(config::Backbone backbone, int64_t width,
                                               int64_t channels, const ConvFactory& conv) {
  return std::make_shared<ResidualEncoder>(backbone, width, channels, conv);
}

}  // namespace avbench::encoders
