#include "media/mel_filters.h"

#include <algorithm>
#include <cmath>

namespace avbench {
namespace {

double to_mel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double to_hertz(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

}  // namespace

std::vector<MelBand> mel_bands(const LogMelParams& params, int n_fft) {
  const double lowest = to_mel(params.f_min), highest = to_mel(params.f_max);
  const auto edge = [&](int i) {
    return to_hertz(lowest + (highest - lowest) * i / (params.bands + 1));
  };
  std::vector<MelBand> bands(params.bands);
  for (int band = 0; band < params.bands; ++band) {
    const double left = edge(band), peak = edge(band + 1), right = edge(band + 2);
    for (int bin = 0; bin <= n_fft / 2; ++bin) {
      const double f = static_cast<double>(bin) * params.sample_rate / n_fft;
      const double weight = std::min((f - left) / (peak - left), (right - f) / (right - peak));
      if (weight <= 0) continue;
      if (bands[band].weights.empty()) bands[band].first = bin;
      bands[band].weights.push_back(static_cast<float>(weight));
    }
  }
  return bands;
}

}  // namespace avbench
