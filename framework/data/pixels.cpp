#include "data/pixels.h"

#include <algorithm>

namespace avbench::data {

void copy_frame(const uint8_t* frame, int64_t width, Crop crop, int64_t side, float* out) {
  constexpr float kScale = 1.0f / 255;
  const int64_t row = side * 3;
  for (int64_t y = 0; y < side; ++y) {
    const uint8_t* in = frame + ((crop.y + y) * width + crop.x) * 3;
    float* to = out + y * row;
    for (int64_t i = 0; i < row; ++i) to[i] = static_cast<float>(in[i]) * kScale;
  }
}

void mirror_frame(int64_t side, float* frame) {
  for (int64_t y = 0; y < side; ++y) {
    float* row = frame + y * side * 3;
    for (int64_t left = 0, right = side - 1; left < right; ++left, --right) {
      std::swap_ranges(row + left * 3, row + left * 3 + 3, row + right * 3);
    }
  }
}

void normalise(int64_t pixels, const std::array<double, 3>& mean, const std::array<double, 3>& std,
               float* values) {
  std::array<float, 3> scale, shift;
  for (size_t c = 0; c < 3; ++c) {
    scale[c] = static_cast<float>(1 / std[c]);
    shift[c] = static_cast<float>(-mean[c] / std[c]);
  }
  for (int64_t i = 0; i < 3 * pixels; i += 3) {
    for (size_t c = 0; c < 3; ++c) values[i + c] = values[i + c] * scale[c] + shift[c];
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

}  // namespace avbench::data
