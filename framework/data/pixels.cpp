#include "data/pixels.h"

namespace avbench {

void copy_frame(const uint8_t* frame, int64_t width, Crop crop, int64_t side, float* out) {
  constexpr float kScale = 1.0f / 255;
  const int64_t row = side * 3;
  for (int64_t y = 0; y < side; ++y) {
    const uint8_t* in = frame + ((crop.y + y) * width + crop.x) * 3;
    float* to = out + y * row;
    for (int64_t i = 0; i < row; ++i) to[i] = static_cast<float>(in[i]) * kScale;
  }
}

void copy_plane(const float* plane, int64_t width, Crop crop, int64_t side, int64_t channels,
                float* out) {
  for (int64_t y = 0; y < side; ++y) {
    const float* in = plane + (crop.y + y) * width + crop.x;
    float* to = out + y * side * channels;
    for (int64_t x = 0; x < side; ++x) to[channels * x] = in[x];
  }
}

}  // namespace avbench
