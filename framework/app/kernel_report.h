// `avbench doctor --kernels`: which kernel computes which layer.
#pragma once

#include <cstdint>
#include <string>

#include "config/encoder_config.h"
#include "io/json.h"

namespace avbench::app {

struct KernelShape {
  config::EncoderConfig encoder;
  int64_t batch = 16, frames = 16, size = 112;
};

// {"instruction_set", "kernels": "on"|"off", "layers": [{"tower", "input", "kernel", "stride",
// "out_channels", "forward", "input_gradient", "weight_gradient", "GFLOP"}, ...]}: the convolutions
// of one training step of both towers, in order.
io::Json kernel_report(const KernelShape& shape);

std::string kernel_text(const io::Json& report);

}  // namespace avbench::app
