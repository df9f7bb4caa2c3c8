// R3D: the residual layout with full 3D convolutions. arXiv:1711.11248, section 3.
#include "encoders/architectures.h"
#include "encoders/residual.h"

namespace avbench::encoders {

std::shared_ptr<Encoder> make_r3d(int64_t width, int64_t channels) {
  return make_residual_encoder(config::Backbone::kR3d, width, channels, [](const ConvShape& shape) {
    return std::make_shared<Conv3d>(shape);
  });
}

}  // namespace avbench::encoders
