// Audio as an image: the spectrogram image, or the waveform folded row by row.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "config/spectrogram_config.h"
#include "media/log_mel.h"
#include "media/waveform_image.h"

namespace avbench::data {

// Planes of an image: one if all channels are alike, three if it has colours.
int64_t image_planes(const config::SpectrogramConfig& config);

// Hz at `share` of the height of a spectrogram image, 0: its lowest edge, 1: its highest.
double frequency_at(const config::SpectrogramConfig& config, double share);

// `seconds` of `audio` (at `rate`, from time 0) around the time `centre`; zeros where there is
// none.
std::vector<float> audio_around(std::span<const float> audio, int64_t rate, double centre,
                                double seconds);

// One a thread: it keeps its work space.
class AudioImage {
 public:
  // Throws UserError on impossible parameters.
  explicit AudioImage(const config::SpectrogramConfig& config);

  // [image_planes, config.resize] in [0, 1]: the spectrogram or the raw audio at config.size,
  // turned and coloured if so configured, then resized.
  std::vector<float> make(std::span<const float> audio);

 private:
  config::SpectrogramConfig config_;
  std::variant<media::LogMel, media::WaveformImage> kind_;
};

}  // namespace avbench::data
