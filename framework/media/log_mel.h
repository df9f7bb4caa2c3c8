// Spectrogram of an audio track: periodic Hann window zero-padded and centred in n_fft, centre with
// reflection, power 2. The default is torchaudio's MelSpectrogram (HTK scale, no norm); with
// Slaney's scale and norm the filters are librosa's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace avbench::media {

enum class Frequency { kMel, kLinear };  // linear: the n_fft / 2 + 1 bins as they are
enum class MelScale { kHtk, kSlaney };
enum class MelNorm { kNone, kSlaney };      // height 1, or area 1 over Hz
enum class PowerScale { kLog, kDecibels };  // floor: kLogMelFloor, and 80 dB below the maximum

struct LogMelParams {
  int sample_rate = 24000;      // Hz
  int n_fft = 2048;             // any number
  int window = 240, hop = 240;  // samples
  Frequency frequency = Frequency::kMel;
  int bands = 256;
  MelScale mel_scale = MelScale::kHtk;
  MelNorm mel_norm = MelNorm::kNone;
  double f_min = 0, f_max = 12000;  // Hz
  PowerScale scale = PowerScale::kLog;
  int rows = 256, columns = 256;  // of the image
};

inline constexpr float kLogMelFloor = 1e-10f;  // of the power, below which the logarithm stops
inline constexpr float kDecibelRange = 1e-8f;  // 80 dB: least power as a share of the greatest

// Hz at `share` of the way from the lowest band, 0, to the highest, 1, evenly on the scale of the
// bands.
double band_frequency(const LogMelParams& params, double share);

// One a thread: it keeps its work space.
class LogMel {
 public:
  // Throws UserError on bands so narrow that no frequency of the transform falls into them, and
  // std::invalid_argument on parameters that no configuration has.
  explicit LogMel(const LogMelParams& params);
  ~LogMel();
  LogMel(LogMel&&) noexcept;
  LogMel& operator=(LogMel&&) noexcept;

  // Columns of power() for `samples` samples: 1 + samples / hop; of an odd n_fft, whose margins
  // are one sample short, 1 + (samples - 1) / hop.
  int64_t columns(int64_t samples) const;

  // Power, [columns(wave.size()), bands]: one row a time step. Audio too short to be reflected
  // (n_fft / 2 samples or fewer) is padded with zeros instead.
  std::vector<float> power(std::span<const float> wave);

  // log(max(power, floor)) scaled to [0, 1] over the clip, bilinear to `out` = [rows, columns],
  // low bands first (half-pixel centres, no antialiasing); decibels differ in the floor, as the
  // scaling takes the logarithm's base away. A constant spectrogram gives zeros.
  void image(std::span<const float> wave, std::span<float> out);

  const LogMelParams& params() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench::media
