#include "media/waveform_image.h"

#include <algorithm>
#include <vector>

#include "media/audio_track.h"

namespace avbench::media {

class WaveformImage::Impl {
 public:
  void image(std::span<const float> wave, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0.f);
    if (wave.empty()) return;
    // Lengths as rates: the track lasts a second before and after.
    const std::vector<float> resampled = converter_.resample(
        {wave.begin(), wave.end()}, static_cast<int>(wave.size()), static_cast<int>(out.size()));
    const auto [least, most] = std::minmax_element(resampled.begin(), resampled.end());
    const float low = *least, range = *most - low;
    if (!(range > 0)) return;
    std::transform(resampled.begin(), resampled.end(), out.begin(),
                   [&](float value) { return (value - low) / range; });
  }

 private:
  AudioConverter converter_;
};

WaveformImage::WaveformImage() : impl_(std::make_unique<Impl>()) {}
WaveformImage::~WaveformImage() = default;
WaveformImage::WaveformImage(WaveformImage&&) noexcept = default;
WaveformImage& WaveformImage::operator=(WaveformImage&&) noexcept = default;
void WaveformImage::image(std::span<const float> wave, std::span<float> out) {
  impl_->image(wave, out);
}

}  // namespace avbench::media
