// What a clip is, and how a training clip is changed.
#pragma once

#include <array>
#include <cstdint>

#include "config/section.h"

namespace avbench::config {

// Largest changes of a training clip's colours, as those of torchvision's ColorJitter.
struct JitterConfig {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
};
template <class V>
void fields(V& v, io::MaybeConst<JitterConfig> auto& c) {
  v("brightness", c.brightness, Range{0, 10}, "factor drawn from 1 - x to 1 + x, at least 0");
  v("contrast", c.contrast, Range{0, 10}, "likewise, around the frame's mean grey");
  v("saturation", c.saturation, Range{0, 10}, "likewise, around each pixel's grey");
  v("hue", c.hue, Range{0, 0.5}, "part of the colour circle, drawn from -x to x");
}

struct ClipConfig {
  enum class Start { kAny, kSecond };
  friend constexpr auto words(Start) {
    return std::array{Word{Start::kAny, "any"}, Word{Start::kSecond, "second"}};
  }

  int64_t frames = 16;
  int64_t stride = 1;
  Start start = Start::kAny;
  std::array<int64_t, 2> resize{128, 171};
  int64_t crop = 112;
  double flip = 0;
  JitterConfig jitter;
  std::array<double, 3> mean{0, 0, 0};
  std::array<double, 3> std{1, 1, 1};
};
template <class V>
void fields(V& v, io::MaybeConst<ClipConfig> auto& c) {
  v("frames", c.frames, Range{1, 1024}, "frames of a clip");
  v("stride", c.stride, Range{1, 1024}, "native frames from one frame of a clip to the next");
  v("start", c.start, "a clip begins at any frame, or at the first frame of a second of the video");
  v("resize", c.resize, Range{8, 4096}, "height and width before the crop");
  v("crop", c.crop, Range{8, 4096}, "side of the square crop, one position a clip");
  v("flip", c.flip, Range{0, 1}, "probability that a training clip is mirrored left to right");
  v.section("jitter", c.jitter);
  v("mean", c.mean, Range{-10, 10},
    "of red, green and blue: subtracted from the values from 0 to 1, in training and test");
  v("std", c.std, Range{1e-3, 1000}, "of red, green and blue: what is left is divided by it");
}

}  // namespace avbench::config
