#include "media/raw_sound.h"

#include <algorithm>
#include <vector>

#include "media/sound.h"

namespace avbench {

class RawSound::Impl {
 public:
  void picture(std::span<const float> wave, std::span<float> out) {
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
  SoundConverter converter_;
};

RawSound::RawSound() : impl_(std::make_unique<Impl>()) {}
RawSound::~RawSound() = default;
RawSound::RawSound(RawSound&&) noexcept = default;
RawSound& RawSound::operator=(RawSound&&) noexcept = default;
void RawSound::picture(std::span<const float> wave, std::span<float> out) {
  impl_->picture(wave, out);
}

}  // namespace avbench
