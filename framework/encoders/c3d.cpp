// C3D with batch normalisation and global average pooling. arXiv:1412.0767.
#include <ATen/ops/max_pool3d.h>

#include <algorithm>

#include "encoders/architectures.h"
#include "encoders/layers.h"

namespace avbench::encoders {
namespace {

// Window and stride (time, 2, 2); time no longer than the clip is.
Tensor max_pool(const Tensor& x, int64_t time) {
  const Extent window{std::min(time, x.size(2)), 2, 2};
  return at::max_pool3d(x, window, window);
}

class C3d : public Encoder {
 public:
  C3d(int64_t w, int64_t channels)
      : Encoder({.backbone = config::Backbone::kC3d,
                 .channels = channels,
                 .conv3 = 4 * w,
                 .conv4 = 8 * w,
                 .conv5 = 8 * w,
                 .min_size = 16}) {
    // Channels in and out; a clip of 16 x 112 x 112 becomes
    conv1_ = unit("conv1", channels, w);     //  w x 16 x 112 x 112
    conv2_ = unit("conv2", w, 2 * w);        // 2w x 16 x  56 x  56
    conv3a_ = unit("conv3a", 2 * w, 4 * w);  // 4w x  8 x  28 x  28
    conv3b_ = unit("conv3b", 4 * w, 4 * w);
    conv4a_ = unit("conv4a", 4 * w, 8 * w);  // 8w x  4 x  14 x  14
    conv4b_ = unit("conv4b", 8 * w, 8 * w);
    conv5a_ = unit("conv5a", 8 * w, 8 * w);  // 8w x  2 x   7 x   7
    conv5b_ = unit("conv5b", 8 * w, 8 * w);
  }

 private:
  std::shared_ptr<ConvBn> unit(const std::string& name, int64_t in, int64_t out) {
    const ConvShape shape{in, out, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, true};
    return register_module(name, std::make_shared<ConvBn>(std::make_shared<Conv3d>(shape), out));
  }

  // Taps lie before the pooling, so that they have the same extents as R3D's.
  std::map<std::string, Tensor> feature_maps(const Tensor& clip) override {
    const auto step = [](ConvBn& unit, const Tensor& x) { return unit.rectified(x); };
    Tensor x = max_pool(step(*conv1_, clip), 1);
    x = max_pool(step(*conv2_, x), 2);
    const Tensor conv3 = step(*conv3b_, step(*conv3a_, x));
    const Tensor conv4 = step(*conv4b_, step(*conv4a_, max_pool(conv3, 2)));
    const Tensor conv5 = step(*conv5b_, step(*conv5a_, max_pool(conv4, 2)));
    return {{"conv3", conv3}, {"conv4", conv4}, {"conv5", conv5}};
  }

  std::shared_ptr<ConvBn> conv1_, conv2_, conv3a_, conv3b_, conv4a_, conv4b_, conv5a_, conv5b_;
};

}  // namespace

std::shared_ptr<Encoder> make_c3d(int64_t width, int64_t channels) {
  return std::make_shared<C3d>(width, channels);
}

}  // namespace avbench::encoders
