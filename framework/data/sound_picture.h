// The picture that stands for a sound.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "config/experiment.h"
#include "media/log_mel.h"
#include "media/raw_sound.h"

namespace avbench {

// Planes of a picture: one if all channels are alike, three if it has colours.
int64_t sound_planes(const SpectrogramConfig& config);

// `seconds` of `sound` (at `rate`, from time 0) around the time `centre`; zeros where there is
// none.
std::vector<float> sound_around(std::span<const float> sound, int64_t rate, double centre,
                                double seconds);

// One a thread: it keeps its work space.
class SoundPicture {
 public:
  // Throws UserError on impossible parameters.
  explicit SoundPicture(const SpectrogramConfig& config);

  // [sound_planes, config.resize] in [0, 1]: the spectrogram or the raw sound at config.size,
  // turned and coloured if so configured, then resized.
  std::vector<float> make(std::span<const float> sound);

 private:
  SpectrogramConfig config_;
  std::variant<LogMel, RawSound> kind_;
};

}  // namespace avbench
