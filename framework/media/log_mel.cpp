#include "media/log_mel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>

#include "io/error.h"
#include "media/fourier.h"
#include "media/mel_filters.h"

namespace avbench::media {
namespace {

// The configuration's own checks let nothing else through (config/check_input.h).
LogMelParams checked(const LogMelParams& p) {
  const bool sizes = p.n_fft >= 16 && p.n_fft <= 65536 && p.window >= 1 && p.window <= p.n_fft &&
                     p.hop >= 1 && p.bands >= 1 && p.rows >= 1 && p.columns >= 1;
  const bool range = p.f_min >= 0 && p.f_min < p.f_max && 2 * p.f_max <= p.sample_rate;
  const bool all_bins = p.bands == p.n_fft / 2 + 1 && p.f_min == 0 && 2 * p.f_max == p.sample_rate;
  if (!sizes || !range || (p.frequency == Frequency::kLinear && !all_bins)) {
    throw std::invalid_argument("LogMelParams");
  }
  return p;
}

std::vector<int> empty_bands(const std::vector<MelBand>& bands) {
  std::vector<int> empty;
  for (size_t i = 0; i < bands.size(); ++i) {
    if (bands[i].weights.empty()) empty.push_back(static_cast<int>(i));
  }
  return empty;
}

// A band without a bin would be a constant row, the same in every file.
[[noreturn]] void refuse_empty(const LogMelParams& p, const std::vector<int>& empty) {
  std::string indices;
  for (size_t i = 0; i < empty.size() && i < 12; ++i) {
    indices += (i ? ", " : "") + std::to_string(empty[i]);
  }
  if (empty.size() > 12) indices += ", ...";
  auto enough = static_cast<int>(std::bit_ceil(static_cast<unsigned>(p.n_fft)));
  while (enough < 65536 && !empty_bands(mel_bands(p, enough)).empty()) enough *= 2;
  throw io::UserError("spectrogram: with n_fft " + std::to_string(p.n_fft) + ", " +
                      std::to_string(empty.size()) + " of " + std::to_string(p.bands) +
                      " mel bands hold no frequency (bands " + indices + "); use n_fft " +
                      std::to_string(enough) + " or more, or fewer bands");
}

// Least and greatest; several at a time, which std::minmax_element's order of results forbids.
std::pair<float, float> extremes(std::span<const float> values) {
  constexpr size_t kWide = 16;
  std::array<float, kWide> least, most;
  least.fill(values[0]);
  most.fill(values[0]);
  size_t i = 0;
  for (; i + kWide <= values.size(); i += kWide) {
    for (size_t k = 0; k < kWide; ++k) {
      least[k] = std::min(least[k], values[i + k]);
      most[k] = std::max(most[k], values[i + k]);
    }
  }
  for (; i < values.size(); ++i) {
    least[0] = std::min(least[0], values[i]);
    most[0] = std::max(most[0], values[i]);
  }
  return {*std::min_element(least.begin(), least.end()),
          *std::max_element(most.begin(), most.end())};
}

// Source position of `out` of `outs` when `ins` samples are stretched, half-pixel centres.
struct Blend {
  int64_t low, high;
  float weight;  // of high
};
Blend blend(int64_t out, int64_t outs, int64_t ins) {
  const double at = (static_cast<double>(out) + 0.5) * static_cast<double>(ins) / outs - 0.5;
  const double inside = std::clamp(at, 0.0, static_cast<double>(ins - 1));
  const auto low = static_cast<int64_t>(inside);
  return {low, std::min(low + 1, ins - 1), static_cast<float>(inside - static_cast<double>(low))};
}

}  // namespace

class LogMel::Impl {
 public:
  explicit Impl(const LogMelParams& params)
      : params_(checked(params)), fourier_(params.n_fft, params.window) {
    bands_ = params.frequency == Frequency::kMel ? mel_bands(params, params.n_fft)
                                                 : single_bins(params.bands);
    if (const std::vector<int> empty = empty_bands(bands_); !empty.empty()) {
      refuse_empty(params, empty);
    }
    window_.resize(params.window);
    for (int i = 0; i < params.window; ++i) {  // periodic Hann
      window_[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * M_PI * i / params.window));
    }
    spectra_.resize(params.n_fft / 2 + 1);
  }

  int64_t columns(int64_t samples) const {
    return 1 + std::max<int64_t>(0, samples - params_.n_fft % 2) / params_.hop;
  }

  const std::vector<float>& power(std::span<const float> wave) {
    pad(wave);
    const int64_t count = columns(static_cast<int64_t>(wave.size()));
    power_.resize(static_cast<size_t>(count) * params_.bands);
    for (int64_t column = 0; column < count; column += kLanes) {
      const auto lanes = static_cast<int>(std::min<int64_t>(kLanes, count - column));
      for (int lane = 0; lane < lanes; ++lane) transform(column + lane, lane);
      apply_bands(power_.data() + column * params_.bands, lanes);
    }
    return power_;
  }

  void image(std::span<const float> wave, std::span<float> out) {
    const int rows = params_.rows, columns = params_.columns, bands = params_.bands;
    if (out.size() != static_cast<size_t>(rows) * columns) {
      throw std::invalid_argument("LogMel::image: got room for " + std::to_string(out.size()) +
                                  " values, expected " + std::to_string(rows * columns));
    }
    power(wave);
    const int64_t count = static_cast<int64_t>(power_.size()) / bands;
    // The logarithm is monotonous: its extremes need no logarithm of everything.
    const auto [least, most] = extremes(power_);
    const float floor = params_.scale == PowerScale::kLog
                            ? kLogMelFloor
                            : std::max(kLogMelFloor, most * kDecibelRange);
    const auto log_of = [floor](float power) { return std::log(std::max(power, floor)); };
    const float low = log_of(least), range = log_of(most) - low;
    if (!(range > 0)) {
      std::fill(out.begin(), out.end(), 0.f);
      return;
    }
    std::vector<float> mixed(bands);
    for (int column = 0; column < columns; ++column) {
      const Blend time = blend(column, columns, count);
      const float* first = power_.data() + time.low * bands;
      const float* second = power_.data() + time.high * bands;
      for (int band = 0; band < bands; ++band) {
        const float a = log_of(first[band]), b = log_of(second[band]);
        mixed[band] = (a + (b - a) * time.weight - low) / range;
      }
      for (int row = 0; row < rows; ++row) {
        const Blend pitch = blend(row, rows, bands);
        const float a = mixed[pitch.low], b = mixed[pitch.high];
        out[static_cast<size_t>(row) * columns + column] =
            std::clamp(a + (b - a) * pitch.weight, 0.f, 1.f);
      }
    }
  }

  const LogMelParams& params() const { return params_; }

 private:
  static constexpr int kLanes = 4;  // columns filtered together: one vector register
  using Lanes = std::array<float, kLanes>;

  // n_fft / 2 samples on both sides: reflected without repeating the edge, or zeros if the audio is
  // too short for that.
  void pad(std::span<const float> wave) {
    const size_t margin = params_.n_fft / 2, size = wave.size();
    padded_.assign(std::max<size_t>(size + 2 * margin, params_.n_fft), 0.f);
    std::copy(wave.begin(), wave.end(), padded_.begin() + static_cast<ptrdiff_t>(margin));
    if (size <= margin) return;
    for (size_t i = 1; i <= margin; ++i) {
      padded_[margin - i] = wave[i];
      padded_[margin + size - 1 + i] = wave[size - 1 - i];
    }
  }

  // Power spectrum of one column into a lane. Where the window lies in the transform does not
  // change the power: it is put first.
  void transform(int64_t column, int lane) {
    const float* samples =
        padded_.data() + column * params_.hop + (params_.n_fft - params_.window) / 2;
    const std::span<float> input = fourier_.input();
    for (int i = 0; i < params_.window; ++i) input[i] = samples[i] * window_[i];
    const AVComplexFloat* out = fourier_.run();
    for (size_t i = 0; i < spectra_.size(); ++i) {
      spectra_[i][lane] = out[i].re * out[i].re + out[i].im * out[i].im;
    }
  }

  void apply_bands(float* out, int lanes) const {
    for (size_t band = 0; band < bands_.size(); ++band) {
      const Lanes* bins = spectra_.data() + bands_[band].first;
      Lanes sum{};
      for (const float weight : bands_[band].weights) {
        for (int lane = 0; lane < kLanes; ++lane) sum[lane] += weight * (*bins)[lane];
        ++bins;
      }
      for (int lane = 0; lane < lanes; ++lane) out[lane * bands_.size() + band] = sum[lane];
    }
  }

  LogMelParams params_;
  std::vector<MelBand> bands_;
  std::vector<float> window_, padded_, power_;
  std::vector<Lanes> spectra_;  // by bin, of the columns in work
  Fourier fourier_;
};

LogMel::LogMel(const LogMelParams& params) : impl_(std::make_unique<Impl>(params)) {}
LogMel::~LogMel() = default;
LogMel::LogMel(LogMel&&) noexcept = default;
LogMel& LogMel::operator=(LogMel&&) noexcept = default;
int64_t LogMel::columns(int64_t samples) const { return impl_->columns(samples); }
std::vector<float> LogMel::power(std::span<const float> wave) { return impl_->power(wave); }
void LogMel::image(std::span<const float> wave, std::span<float> out) { impl_->image(wave, out); }
const LogMelParams& LogMel::params() const { return impl_->params(); }

}  // namespace avbench::media
