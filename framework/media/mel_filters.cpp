#include "media/mel_filters.h"

#include <algorithm>
#include <cmath>

namespace avbench::media {
namespace {

// Slaney's scale: 3 mel for 200 Hz up to the corner, then a factor 6.4 for 27 mel.
constexpr double kCorner = 1000, kCornerMel = 15, kLinearStep = 200.0 / 3;
const double kLogStep = std::log(6.4) / 27;

double to_mel(double hertz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595 * std::log10(1 + hertz / 700);
  if (hertz < kCorner) return hertz / kLinearStep;
  return kCornerMel + std::log(hertz / kCorner) / kLogStep;
}

double to_hertz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700 * (std::pow(10, mel / 2595) - 1);
  if (mel < kCornerMel) return mel * kLinearStep;
  return kCorner * std::exp((mel - kCornerMel) * kLogStep);
}

}  // namespace

double band_frequency(const LogMelParams& params, double share) {
  if (params.frequency == Frequency::kLinear) return share * params.sample_rate / 2;
  const double lowest = to_mel(params.f_min, params.mel_scale);
  const double highest = to_mel(params.f_max, params.mel_scale);
  return to_hertz(lowest + share * (highest - lowest), params.mel_scale);
}

std::vector<MelBand> mel_bands(const LogMelParams& params, int n_fft) {
  const double lowest = to_mel(params.f_min, params.mel_scale);
  const double highest = to_mel(params.f_max, params.mel_scale);
  const auto edge = [&](int i) {
    return to_hertz(lowest + (highest - lowest) * i / (params.bands + 1), params.mel_scale);
  };
  std::vector<MelBand> bands(params.bands);
  for (int band = 0; band < params.bands; ++band) {
    const double left = edge(band), peak = edge(band + 1), right = edge(band + 2);
    const double height = params.mel_norm == MelNorm::kNone ? 1 : 2 / (right - left);
    for (int bin = 0; bin <= n_fft / 2; ++bin) {
      const double f = static_cast<double>(bin) * params.sample_rate / n_fft;
      const double weight = std::min((f - left) / (peak - left), (right - f) / (right - peak));
      if (weight <= 0) continue;
      if (bands[band].weights.empty()) bands[band].first = bin;
      bands[band].weights.push_back(static_cast<float>(height * weight));
    }
  }
  return bands;
}

std::vector<MelBand> single_bins(int count) {
  std::vector<MelBand> bands(count);
  for (int bin = 0; bin < count; ++bin) bands[bin] = {bin, {1}};
  return bands;
}

}  // namespace avbench::media
