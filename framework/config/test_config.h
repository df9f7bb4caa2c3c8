// The test, and the statistics that are measured before an evaluation.
#pragma once

#include <array>
#include <cstdint>

#include "config/section.h"

namespace avbench::config {

struct TestConfig {
  enum class SpectrogramCrops { kSpread, kCentre };
  friend constexpr auto words(SpectrogramCrops) {
    return std::array{Word{SpectrogramCrops::kSpread, "spread"},
                      Word{SpectrogramCrops::kCentre, "centre"}};
  }

  int64_t clips = 10;
  int64_t crops = 1;
  SpectrogramCrops spectrogram_crops = SpectrogramCrops::kSpread;
};
template <class V>
void fields(V& v, io::MaybeConst<TestConfig> auto& c) {
  v("clips", c.clips, Range{1, 1000}, "clips a video at evenly spaced starts; logits are averaged");
  v("crops", c.crops, OneOf{"1|3"},
    "of each clip: the centre, or three along the longer side; their logits are averaged too");
  v("spectrogram_crops", c.spectrogram_crops,
    "a crop a clip, spread along the spectrogram's time axis, or always the centre");
}

struct BatchNormConfig {
  bool reestimate = true;
  int64_t samples = 1024;
};
template <class V>
void fields(V& v, io::MaybeConst<BatchNormConfig> auto& c) {
  v("reestimate", c.reestimate, "running statistics anew from training clips before evaluation");
  v("samples", c.samples, Range{1, 1000000}, "training clips (without labels) used for it");
}

}  // namespace avbench::config
