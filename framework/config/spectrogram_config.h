// How the audio becomes an image.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/section.h"

namespace avbench::config {

struct SpectrogramConfig {
  enum class Kind { kLogMel, kRaw };
  friend constexpr auto words(Kind) {
    return std::array{Word{Kind::kLogMel, "log_mel"}, Word{Kind::kRaw, "raw"}};
  }
  enum class Audio { kWhole, kClip };
  friend constexpr auto words(Audio) {
    return std::array{Word{Audio::kWhole, "whole"}, Word{Audio::kClip, "clip"}};
  }
  enum class Frequency { kMel, kLinear };
  friend constexpr auto words(Frequency) {
    return std::array{Word{Frequency::kMel, "mel"}, Word{Frequency::kLinear, "linear"}};
  }
  enum class MelScale { kHtk, kSlaney };
  friend constexpr auto words(MelScale) {
    return std::array{Word{MelScale::kHtk, "htk"}, Word{MelScale::kSlaney, "slaney"}};
  }
  enum class MelNorm { kNone, kSlaney };
  friend constexpr auto words(MelNorm) {
    return std::array{Word{MelNorm::kNone, "none"}, Word{MelNorm::kSlaney, "slaney"}};
  }
  enum class Scale { kLog, kDb };
  friend constexpr auto words(Scale) {
    return std::array{Word{Scale::kLog, "log"}, Word{Scale::kDb, "db"}};
  }
  enum class Colour { kGrey, kMagma };
  friend constexpr auto words(Colour) {
    return std::array{Word{Colour::kGrey, "grey"}, Word{Colour::kMagma, "magma"}};
  }
  enum class Time { kOneFrame, kRepeat };
  friend constexpr auto words(Time) {
    return std::array{Word{Time::kOneFrame, "one_frame"}, Word{Time::kRepeat, "repeat"}};
  }

  Kind kind = Kind::kLogMel;
  Audio audio = Audio::kWhole;
  double audio_seconds = 1.28;
  int64_t sample_rate = 24000;
  int64_t n_fft = 2048;
  int64_t window = 240;
  int64_t hop = 240;
  Frequency frequency = Frequency::kMel;
  int64_t bands = 256;
  MelScale mel_scale = MelScale::kHtk;
  MelNorm mel_norm = MelNorm::kNone;
  double f_min = 0;
  double f_max = 12000;
  Scale scale = Scale::kLog;
  std::array<int64_t, 2> size{256, 256};
  bool flip = false;
  Colour colour = Colour::kGrey;
  int64_t channels = 3;
  std::array<int64_t, 2> resize{128, 171};
  int64_t crop = 112;
  Time time = Time::kOneFrame;
};
// "author": the settings of the preprocessing scripts that the paper's first author has published,
// librosa's mel spectrogram in decibels as an image in colours.
inline std::vector<Preset<SpectrogramConfig>> spectrogram_presets() {
  using S = SpectrogramConfig;
  return {{"default", {}},
          {"author",
           {.window = 1024,
            .hop = 512,
            .mel_scale = S::MelScale::kSlaney,
            .mel_norm = S::MelNorm::kSlaney,
            .scale = S::Scale::kDb,
            .flip = true,
            .colour = S::Colour::kMagma}}};
}
template <class V>
void fields(V& v, io::MaybeConst<SpectrogramConfig> auto& c) {
  v.preset(c, spectrogram_presets(), "sets all other keys of this section");
  v("kind", c.kind,
    "spectrogram, or the audio's samples themselves, as many as `size` has, row by row, their "
    "range scaled to 0 to 1");
  v("audio", c.audio, "of the whole file, or around the video clip");
  v("audio_seconds", c.audio_seconds, Range{0.01, 3600},
    "audio clip: length around the clip's middle, with silence beyond the file's ends");
  v("sample_rate", c.sample_rate, Range{1000, 192000}, "Hz, mono");
  v("n_fft", c.n_fft, Range{16, 65536}, "samples of one Fourier transform");
  v("window", c.window, Range{1, 65536}, "samples of the Hann window, centred in n_fft");
  v("hop", c.hop, Range{1, 65536}, "samples from one column to the next");
  v("frequency", c.frequency,
    "rows: bands of the mel scale, or the n_fft / 2 + 1 bins of the transform as they are");
  v("bands", c.bands, Range{1, 32769}, "mel bands; linear: the number of bins");
  v("mel_scale", c.mel_scale, "mel bands: logarithmic throughout, or linear up to 1 kHz");
  v("mel_norm", c.mel_norm, "mel bands: filters of height 1, or of area 1 over Hz");
  v("f_min", c.f_min, Range{0, 96000}, "Hz, lower edge of the lowest band");
  v("f_max", c.f_max, Range{1, 96000}, "Hz, upper edge of the highest band");
  v("scale", c.scale,
    "logarithm of the power with a fixed floor, or decibels below the clip's maximum, at most 80; "
    "either way its range becomes 0 to 1");
  v("size", c.size, Range{8, 4096}, "bands and columns of the stored spectrogram (bilinear)");
  v("flip", c.flip, "high frequencies on top");
  v("colour", c.colour, "the same value in each channel, or the MAGMA map");
  v("channels", c.channels, OneOf{"1|3"}, "of the audio tower's input");
  v("resize", c.resize, Range{8, 4096}, "height and width before the crop");
  v("crop", c.crop, Range{8, 4096}, "side of the square crop");
  v("time", c.time, "as a clip: one frame, or repeated along time to the length of the RGB clip");
}

}  // namespace avbench::config
