// An audio track as an image without any transform.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace avbench::media {

// One a thread: it keeps its work space.
class WaveformImage {
 public:
  WaveformImage();
  ~WaveformImage();
  WaveformImage(WaveformImage&&) noexcept;
  WaveformImage& operator=(WaveformImage&&) noexcept;

  // The whole of `wave` resampled to as many samples as `out` has values, least to greatest scaled
  // to [0, 1]: read row by row, `out` is the image. Silence, or audio shorter than the
  // resampler's filter (32 samples), gives zeros.
  void image(std::span<const float> wave, std::span<float> out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench::media
