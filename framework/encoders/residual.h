// The residual layout that R3D and R(2+1)D share; they differ in what a convolution is.
#pragma once

#include <functional>
#include <memory>

#include "encoders/encoder.h"
#include "encoders/layers.h"

namespace avbench::encoders {

using ConvFactory = std::function<std::shared_ptr<Layer>(const ConvShape&)>;

// Five stages and global average pooling; section 3 of arXiv:1711.11248 with one block a stage.
std::shared_ptr<Encoder> make_residual_encoder(config::Backbone backbone, int64_t width,
                                               int64_t channels, const ConvFactory& conv);

}  // namespace avbench::encoders
