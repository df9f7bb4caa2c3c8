// Log-mel spectrogram of a sound track: torchaudio's MelSpectrogram definition (periodic Hann
// window zero-padded and centred in n_fft, centre with reflection, power 2, HTK scale, no norm).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace avbench {

struct LogMelParams {
  int sample_rate = 24000;  // Hz
  int n_fft = 2048;
  int window = 240, hop = 240;  // samples
  int bands = 256;
  double f_min = 0, f_max = 12000;  // Hz
  int rows = 256, columns = 256;    // of the picture
};

inline constexpr float kLogMelFloor = 1e-10f;  // of the power, below which the logarithm stops

// One a thread: it keeps its work space.
class LogMel {
 public:
  // Throws UserError on impossible parameters, among them bands so narrow that no frequency of
  // the transform falls into them.
  explicit LogMel(const LogMelParams& params);
  ~LogMel();
  LogMel(LogMel&&) noexcept;
  LogMel& operator=(LogMel&&) noexcept;

  // Columns of power() for `samples` samples: 1 + samples / hop.
  int64_t columns(int64_t samples) const;

  // Mel power, [columns(wave.size()), bands]: one row a time step. Sound too short to be reflected
  // (n_fft / 2 samples or fewer) is padded with zeros instead.
  std::vector<float> power(std::span<const float> wave);

  // log(max(power, floor)) scaled to [0, 1] over the clip, bilinear to `out` = [rows, columns],
  // low bands first (half-pixel centres, no antialiasing). A constant spectrogram gives zeros.
  void picture(std::span<const float> wave, std::span<float> out);

  const LogMelParams& params() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench
