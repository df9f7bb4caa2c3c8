#include "data/colour_jitter.h"

#include <algorithm>
#include <cmath>

namespace avbench::data {
namespace {

// Luma of ITU-R BT.601, as torchvision rounds it.
float grey_of(const float* pixel) {
  return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

float blended(float value, float towards, float factor) {
  return std::clamp(factor * value + (1 - factor) * towards, 0.0f, 1.0f);
}

float mean_grey(std::span<const float> frame) {
  double sum = 0;
  for (size_t i = 0; i < frame.size(); i += 3) sum += grey_of(&frame[i]);
  return static_cast<float>(sum / (static_cast<double>(frame.size()) / 3));
}

void blend_frame(std::span<float> frame, float towards, float factor) {
  for (float& value : frame) value = blended(value, towards, factor);
}

void saturate(std::span<float> frame, float factor) {
  for (size_t i = 0; i < frame.size(); i += 3) {
    const float grey = grey_of(&frame[i]);
    for (size_t c = 0; c < 3; ++c) frame[i + c] = blended(frame[i + c], grey, factor);
  }
}

// Hue in turns [0, 1) of a pixel whose values are not all equal.
float hue_of(const float* pixel, float greatest, float chroma) {
  const float r = pixel[0], g = pixel[1], b = pixel[2];
  if (greatest == r) return std::fmod((g - b) / chroma / 6 + 1, 1.0f);
  if (greatest == g) return ((b - r) / chroma + 2) / 6;
  return ((r - g) / chroma + 4) / 6;
}

// One channel of a colour given as hue, greatest value and chroma: its distance on the circle
// decides. `offset`: 5 for red, 3 for green, 1 for blue.
float channel_of(float hue, float greatest, float chroma, float offset) {
  const float k = std::fmod(offset + 6 * hue, 6.0f);
  return greatest - chroma * std::clamp(std::min(k, 4 - k), 0.0f, 1.0f);
}

void turn_hue(std::span<float> frame, float turns) {
  for (size_t i = 0; i < frame.size(); i += 3) {
    float* pixel = &frame[i];
    const auto [least, greatest] = std::minmax({pixel[0], pixel[1], pixel[2]});
    const float chroma = greatest - least;
    if (chroma == 0) continue;  // grey has no hue
    const float turned = hue_of(pixel, greatest, chroma) + turns;
    const float hue = turned - std::floor(turned);
    pixel[0] = channel_of(hue, greatest, chroma, 5);
    pixel[1] = channel_of(hue, greatest, chroma, 3);
    pixel[2] = channel_of(hue, greatest, chroma, 1);
  }
}

}  // namespace

void recolour(const ColourJitter& jitter, std::span<float> frame) {
  for (const JitterStep step : jitter.order) {
    if (step == JitterStep::kBrightness && jitter.brightness != 1) {
      blend_frame(frame, 0, jitter.brightness);
    } else if (step == JitterStep::kContrast && jitter.contrast != 1) {
      blend_frame(frame, mean_grey(frame), jitter.contrast);
    } else if (step == JitterStep::kSaturation && jitter.saturation != 1) {
      saturate(frame, jitter.saturation);
    } else if (step == JitterStep::kHue && jitter.hue != 0) {
      turn_hue(frame, jitter.hue);
    }
  }
}

}  // namespace avbench::data
