#include "media/log_mel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "io/error.h"
#include "media/fixtures.h"

namespace avbench::media {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

LogMelParams small_params() {
  LogMelParams params;
  params.sample_rate = 8000;
  params.n_fft = 256;
  params.window = 100;
  params.hop = 40;
  params.bands = 20;
  params.f_min = 100;
  params.f_max = 4000;
  params.rows = 24;
  params.columns = 30;
  return params;
}

// Both mel scales by their definitions, and back by bisection.
double mel_of(const LogMelParams& p, double f) {
  if (p.mel_scale == MelScale::kHtk) return 2595 * std::log10(1 + f / 700);
  return f < 1000 ? 3 * f / 200 : 15 + 27 * std::log(f / 1000) / std::log(6.4);
}
double hertz_of(const LogMelParams& p, double mel) {
  double low = 0, high = 1e5;
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2;
    (mel_of(p, middle) < mel ? low : high) = middle;
  }
  return low;
}

// Weights of all bins for one band after the other.
std::vector<double> reference_filters(const LogMelParams& p) {
  std::vector<double> filters;
  const double lowest = mel_of(p, p.f_min);
  const double step = (mel_of(p, p.f_max) - lowest) / (p.bands + 1);
  for (int band = 0; band < p.bands; ++band) {
    const double left = hertz_of(p, lowest + band * step);
    const double peak = hertz_of(p, lowest + (band + 1) * step);
    const double right = hertz_of(p, lowest + (band + 2) * step);
    const double height = p.mel_norm == MelNorm::kSlaney ? 2 / (right - left) : 1;
    for (int k = 0; k <= p.n_fft / 2; ++k) {
      const double f = static_cast<double>(k) * p.sample_rate / p.n_fft;
      const double up = (f - left) / (peak - left), down = (right - f) / (right - peak);
      const bool own = p.frequency == Frequency::kLinear;
      filters.push_back(own ? k == band : height * std::max(0.0, std::min(up, down)));
    }
  }
  return filters;
}

// The definition, term by term, in double: [columns, bands].
std::vector<double> reference_power(const LogMelParams& p, const std::vector<float>& wave) {
  const std::vector<double> filters = reference_filters(p);
  const int size = static_cast<int>(wave.size()), bins = p.n_fft / 2 + 1;
  std::vector<double> out;
  // The last column's samples end with the margin's, of n_fft / 2.
  for (int centre = 0; centre == 0 || centre - p.n_fft / 2 + p.n_fft <= size + p.n_fft / 2;
       centre += p.hop) {
    std::vector<double> frame(p.n_fft, 0.0);
    for (int i = 0; i < p.window; ++i) {
      const int at = (p.n_fft - p.window) / 2 + i;
      int sample = centre - p.n_fft / 2 + at;
      double value = 0;
      if (size > p.n_fft / 2) {
        if (sample < 0) sample = -sample;
        if (sample >= size) sample = 2 * (size - 1) - sample;
        value = wave[sample];
      } else if (sample >= 0 && sample < size) {
        value = wave[sample];
      }
      frame[at] = value * (0.5 - 0.5 * std::cos(2 * M_PI * i / p.window));
    }
    std::vector<double> power(bins);
    for (int k = 0; k < bins; ++k) {
      std::complex<double> sum = 0;
      for (int i = 0; i < p.n_fft; ++i)
        sum += frame[i] * std::polar(1.0, -2 * M_PI * k * i / p.n_fft);
      power[k] = std::norm(sum);
    }
    for (int band = 0; band < p.bands; ++band) {
      double sum = 0;
      for (int k = 0; k < bins; ++k) sum += filters[band * bins + k] * power[k];
      out.push_back(sum);
    }
  }
  return out;
}

void expect_definition(const LogMelParams& params, const std::vector<size_t>& sizes) {
  LogMel mel(params);
  for (const size_t samples : sizes) {
    const std::vector<float> wave = noise(samples);
    const std::vector<double> expected = reference_power(params, wave);
    const std::vector<float> got = mel.power(wave);
    ASSERT_EQ(got.size(), expected.size()) << samples;
    EXPECT_EQ(static_cast<int64_t>(got.size()), mel.columns(samples) * params.bands);
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], expected[i], 1e-4 * expected[i] + 1e-9) << samples << " at " << i;
    }
  }
}

TEST(LogMel, PowerFollowsTheDefinition) {
  expect_definition(small_params(), {1, 60, 128, 129, 500, 1999});
}

TEST(LogMel, BothScalesAndNormsFollowTheirDefinitions) {
  for (const MelScale scale : {MelScale::kHtk, MelScale::kSlaney}) {
    for (const MelNorm norm : {MelNorm::kNone, MelNorm::kSlaney}) {
      LogMelParams params = small_params();
      params.mel_scale = scale;
      params.mel_norm = norm;
      expect_definition(params, {500});
    }
  }
}

TEST(LogMel, LinearFrequencyIsTheTransformOfAnyLength) {
  for (const int n_fft : {16, 17, 99, 100, 101, 127, 128, 240, 255, 256}) {
    for (const int window : {n_fft, n_fft / 2, 1}) {
      LogMelParams params = small_params();
      params.frequency = Frequency::kLinear;
      params.n_fft = n_fft;
      params.window = window;
      params.bands = n_fft / 2 + 1;
      params.f_min = 0;
      expect_definition(params, {1, 40, 127, 400});
    }
  }
}

// librosa 0.11: melspectrogram(sr=24000, n_fft=2048, win_length=1024, hop_length=512, n_mels=256,
// fmax=12000, pad_mode='reflect') and power_to_db(ref=max) of a sweep, a tone and noise, in double.
TEST(LogMel, AgreesWithLibrosaOnTheAuthorsSettings) {
  constexpr int kColumns = 47;
  LogMelParams params;
  params.window = 1024;
  params.hop = 512;
  params.mel_scale = MelScale::kSlaney;
  params.mel_norm = MelNorm::kSlaney;
  params.scale = PowerScale::kDecibels;
  params.columns = kColumns;  // and 256 rows: nothing is stretched
  std::vector<float> wave(24000);
  for (size_t i = 0; i < wave.size(); ++i) {
    const double t = static_cast<double>(i) / 24000;
    wave[i] = static_cast<float>(0.4 * std::sin(2 * M_PI * (300 * t + 2000 * t * t)) +
                                 0.02 * std::sin(2 * M_PI * 7000 * t) +
                                 0.01 * (static_cast<double>(i * 7919 % 10007) / 10007 - 0.5));
  }
  LogMel mel(params);
  const std::vector<float> power = mel.power(wave);
  std::vector<float> image(256 * kColumns);
  mel.image(wave, image);
  struct Known {
    int band, column;
    double power, decibels;
  };
  for (const Known& known : {Known{0, 24, 5.71938892e-07, -80},
                             {5, 10, 4.50267156e-06, -80},
                             {34, 10, 9.48100435e-06, -77.16625},
                             {50, 10, 2.520903e-05, -72.91923},
                             {100, 24, 1.31133285e-05, -75.75767},
                             {128, 20, 17.1965796, -14.58037},
                             {134, 30, 3.649975e-05, -71.3119},
                             {190, 24, 2.53013054e-05, -72.90337},
                             {214, 24, 1.19541531e-05, -76.15961},
                             {230, 0, 0.000749174687, -58.18896},
                             {255, 46, 5.47857725e-05, -69.54812}}) {
    EXPECT_NEAR(power[known.column * 256 + known.band], known.power, 1e-3 * known.power + 1e-8)
        << known.band;
    EXPECT_NEAR(image[known.band * kColumns + known.column], known.decibels / 80 + 1, 1e-4)
        << known.band;
  }
}

TEST(LogMel, DecibelsEndEightyBelowTheMaximum) {
  LogMelParams params = small_params();
  params.scale = PowerScale::kDecibels;
  params.rows = params.bands;
  params.columns = 11;  // 1 + 400 / 40: nothing is stretched
  std::vector<float> wave = noise(400);
  for (size_t i = 0; i < 150; ++i) wave[i] *= 1e-6f;
  const std::vector<double> power = reference_power(params, wave);
  const double most = *std::max_element(power.begin(), power.end());
  std::vector<float> image(params.rows * params.columns);
  LogMel(params).image(wave, image);
  int at_floor = 0;
  for (int row = 0; row < params.rows; ++row) {
    for (int column = 0; column < params.columns; ++column) {
      const double decibels = 10 * std::log10(power[column * params.bands + row] / most);
      const float got = image[row * params.columns + column];
      EXPECT_NEAR(got, std::max(decibels, -80.0) / 80 + 1, 1e-4) << row << " " << column;
      at_floor += got == 0;
    }
  }
  EXPECT_GT(at_floor, params.rows);
}

TEST(LogMel, ImageIsTheScaledLogarithmStretchedBilinearly) {
  const LogMelParams params = small_params();
  const std::vector<float> wave = noise(2500, 4);
  std::vector<double> log = reference_power(params, wave);
  for (double& value : log) value = std::log(std::max(value, 1e-10));
  const double low = *std::min_element(log.begin(), log.end());
  const double high = *std::max_element(log.begin(), log.end());
  const int columns = static_cast<int>(log.size()) / params.bands;
  const auto at = [&](int row, int column) {
    row = std::clamp(row, 0, params.bands - 1);
    column = std::clamp(column, 0, columns - 1);
    return (log[column * params.bands + row] - low) / (high - low);
  };
  LogMel mel(params);
  std::vector<float> image(params.rows * params.columns);
  mel.image(wave, image);
  for (int row = 0; row < params.rows; ++row) {
    for (int column = 0; column < params.columns; ++column) {
      const double y = (row + 0.5) * params.bands / params.rows - 0.5;
      const double x = (column + 0.5) * columns / params.columns - 0.5;
      const int y0 = static_cast<int>(std::floor(y)), x0 = static_cast<int>(std::floor(x));
      const double fy = y - y0, fx = x - x0;
      const double expected = (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x0 + 1)) +
                              fy * ((1 - fx) * at(y0 + 1, x0) + fx * at(y0 + 1, x0 + 1));
      ASSERT_NEAR(image[row * params.columns + column], expected, 1e-4) << row << " " << column;
    }
  }
}

TEST(LogMel, ASineLightsTheBandOfItsFrequency) {
  LogMel mel({});
  const std::vector<float> power = mel.power(sine(24000, 3000, 24000));
  const auto* middle = power.data() + 50 * 256;
  const auto band = std::max_element(middle, middle + 256) - middle;
  // mel(3000 Hz) of mel(12000 Hz) in 257 steps, the first peak one step up.
  EXPECT_NEAR(band, 257 * std::log10(1 + 3000 / 700.) / std::log10(1 + 12000 / 700.) - 1, 1);
}

TEST(LogMel, SilenceGivesZerosAndNothingGivesNan) {
  LogMel mel({});
  std::vector<float> image(256 * 256, 7.f);
  for (const size_t samples : {0u, 1u, 10u, 1024u, 1025u, 24000u}) {
    mel.image(std::vector<float>(samples, 0.f), image);
    EXPECT_TRUE(std::all_of(image.begin(), image.end(), [](float v) { return v == 0; }));
    mel.image(noise(samples), image);
    EXPECT_TRUE(std::all_of(image.begin(), image.end(), [](float v) { return v >= 0 && v <= 1; }))
        << samples;
  }
}

TEST(LogMel, SpansZeroToOne) {
  LogMelParams params = small_params();
  params.rows = params.bands;
  params.columns = 11;  // 1 + 400 / 40: no stretching, so the extremes stay
  std::vector<float> image(params.rows * params.columns);
  LogMel(params).image(noise(400), image);
  EXPECT_FLOAT_EQ(*std::min_element(image.begin(), image.end()), 0);
  EXPECT_FLOAT_EQ(*std::max_element(image.begin(), image.end()), 1);
}

TEST(LogMel, EarlierAudioLeavesNoTrace) {
  LogMel used({}), fresh({});
  used.power(noise(50000, 9));
  EXPECT_EQ(used.power(noise(9000)), fresh.power(noise(9000)));
}

std::string refusal(const LogMelParams& params) {
  try {
    LogMel mel(params);
  } catch (const io::UserError& error) {
    return error.what();
  }
  return "";
}

TEST(LogMel, RefusesBandsWithoutAFrequency) {
  LogMelParams params;
  params.n_fft = 1024;  // 7 of 256 rows are empty with the HTK scale
  EXPECT_THAT(refusal(params), AllOf(HasSubstr("7 of 256"), HasSubstr("use n_fft 2048")));
  params.n_fft = 2048;
  EXPECT_EQ(refusal(params), "");
  params.mel_scale = MelScale::kSlaney;  // numbers of empty rows as librosa has them
  params.n_fft = 1024;
  EXPECT_EQ(refusal(params), "");
  params.n_fft = 240;
  EXPECT_THAT(refusal(params), AllOf(HasSubstr("98 of 256"), HasSubstr("use n_fft 1024")));
  params.mel_scale = MelScale::kHtk;
  EXPECT_THAT(refusal(params), HasSubstr("90 of 256"));
}

TEST(LogMel, RefusesImpossibleParameters) {
  const auto refused = [](const LogMelParams& params) {
    EXPECT_THROW(LogMel{params}, std::invalid_argument);
  };
  refused({.n_fft = 15, .window = 15});
  refused({.window = 4096});
  refused({.hop = 0});
  refused({.f_min = 12000});
  refused({.f_max = 13000});
  refused({.frequency = Frequency::kLinear});  // 256 bands of 1025 bins
}

}  // namespace
}  // namespace avbench::media
