// The backbones, each in a file of its own. `channels` are the input's.
#pragma once

#include "encoders/encoder.h"

namespace avbench::encoders {

std::shared_ptr<Encoder> make_r3d(int64_t width, int64_t channels);
std::shared_ptr<Encoder> make_r2plus1d(int64_t width, int64_t channels);
std::shared_ptr<Encoder> make_c3d(int64_t width, int64_t channels);

}  // namespace avbench::encoders
