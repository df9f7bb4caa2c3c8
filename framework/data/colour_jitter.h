// Random changes of a clip's colours: the operations of torchvision's ColorJitter on floats.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace avbench::data {

enum class JitterStep { kBrightness, kContrast, kSaturation, kHue };

// One draw, the same for all frames of a clip.
struct ColourJitter {
  float brightness = 1;  // factor of the values
  float contrast = 1;    // factor of the distance from the frame's mean grey
  float saturation = 1;  // factor of the distance from each pixel's grey
  float hue = 0;         // turns of the colour circle, -0.5 to 0.5
  std::array<JitterStep, 4> order{JitterStep::kBrightness, JitterStep::kContrast,
                                  JitterStep::kSaturation, JitterStep::kHue};
};

// `frame`: red, green and blue of one pixel after the other, from 0 to 1 before and after. A step
// that changes nothing is left out.
void recolour(const ColourJitter& jitter, std::span<float> frame);

}  // namespace avbench::data
