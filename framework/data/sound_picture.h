// The picture that stands for a sound.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/experiment.h"
#include "media/log_mel.h"

namespace avbench {

// Planes of a picture: one if all channels are alike, three if it has colours.
int64_t sound_planes(const SpectrogramConfig& config);

// One a thread: it keeps its work space.
class SoundPicture {
 public:
  // Throws UserError on impossible parameters.
  explicit SoundPicture(const SpectrogramConfig& config);

  // [sound_planes, config.resize] in [0, 1]: the spectrogram at config.size, turned and coloured if
  // so configured, then resized.
  std::vector<float> make(std::span<const float> sound);

 private:
  SpectrogramConfig config_;
  LogMel log_mel_;
};

}  // namespace avbench
