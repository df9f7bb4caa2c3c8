#include "media/log_mel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "io/error.h"
#include "media/fixtures.h"

namespace avbench {
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

// The definition, term by term, in double: [columns, bands].
std::vector<double> reference_power(const LogMelParams& p, const std::vector<float>& wave) {
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const auto hertz = [](double m) { return 700 * (std::pow(10, m / 2595) - 1); };
  const int size = static_cast<int>(wave.size());
  std::vector<double> out;
  for (int centre = 0; centre <= size; centre += p.hop) {
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
    std::vector<double> power(p.n_fft / 2 + 1);
    for (int k = 0; k <= p.n_fft / 2; ++k) {
      std::complex<double> sum = 0;
      for (int i = 0; i < p.n_fft; ++i)
        sum += frame[i] * std::polar(1.0, -2 * M_PI * k * i / p.n_fft);
      power[k] = std::norm(sum);
    }
    const double step = (mel(p.f_max) - mel(p.f_min)) / (p.bands + 1);
    for (int band = 0; band < p.bands; ++band) {
      const double left = hertz(mel(p.f_min) + band * step);
      const double peak = hertz(mel(p.f_min) + (band + 1) * step);
      const double right = hertz(mel(p.f_min) + (band + 2) * step);
      double sum = 0;
      for (int k = 0; k <= p.n_fft / 2; ++k) {
        const double f = static_cast<double>(k) * p.sample_rate / p.n_fft;
        const double up = (f - left) / (peak - left), down = (right - f) / (right - peak);
        sum += std::max(0.0, std::min(up, down)) * power[k];
      }
      out.push_back(sum);
    }
  }
  return out;
}

TEST(LogMel, PowerFollowsTheDefinition) {
  const LogMelParams params = small_params();
  LogMel mel(params);
  for (const size_t samples : {1u, 60u, 128u, 129u, 500u, 1999u}) {
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

TEST(LogMel, PictureIsTheScaledLogarithmStretchedBilinearly) {
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
  std::vector<float> picture(params.rows * params.columns);
  mel.picture(wave, picture);
  for (int row = 0; row < params.rows; ++row) {
    for (int column = 0; column < params.columns; ++column) {
      const double y = (row + 0.5) * params.bands / params.rows - 0.5;
      const double x = (column + 0.5) * columns / params.columns - 0.5;
      const int y0 = static_cast<int>(std::floor(y)), x0 = static_cast<int>(std::floor(x));
      const double fy = y - y0, fx = x - x0;
      const double expected = (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x0 + 1)) +
                              fy * ((1 - fx) * at(y0 + 1, x0) + fx * at(y0 + 1, x0 + 1));
      ASSERT_NEAR(picture[row * params.columns + column], expected, 1e-4) << row << " " << column;
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
  std::vector<float> picture(256 * 256, 7.f);
  for (const size_t samples : {0u, 1u, 10u, 1024u, 1025u, 24000u}) {
    mel.picture(std::vector<float>(samples, 0.f), picture);
    EXPECT_TRUE(std::all_of(picture.begin(), picture.end(), [](float v) { return v == 0; }));
    mel.picture(noise(samples), picture);
    EXPECT_TRUE(std::all_of(picture.begin(), picture.end(), [](float v) {
      return v >= 0 && v <= 1;
    })) << samples;
  }
}

TEST(LogMel, SpansZeroToOne) {
  LogMelParams params = small_params();
  params.rows = params.bands;
  params.columns = 11;  // 1 + 400 / 40: no stretching, so the extremes stay
  std::vector<float> picture(params.rows * params.columns);
  LogMel(params).picture(noise(400), picture);
  EXPECT_FLOAT_EQ(*std::min_element(picture.begin(), picture.end()), 0);
  EXPECT_FLOAT_EQ(*std::max_element(picture.begin(), picture.end()), 1);
}

TEST(LogMel, EarlierSoundLeavesNoTrace) {
  LogMel used({}), fresh({});
  used.power(noise(50000, 9));
  EXPECT_EQ(used.power(noise(9000)), fresh.power(noise(9000)));
}

std::string refusal(const LogMelParams& params) {
  try {
    LogMel mel(params);
  } catch (const UserError& error) {
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
}

TEST(LogMel, RefusesImpossibleParameters) {
  LogMelParams params;
  params.n_fft = 1000;
  EXPECT_THAT(refusal(params), HasSubstr("power of two"));
  params = {};
  params.window = 4096;
  EXPECT_THAT(refusal(params), HasSubstr("at most n_fft"));
  params = {};
  params.f_max = 13000;
  EXPECT_THAT(refusal(params), HasSubstr("f_max"));
  params = {};
  params.hop = 0;
  EXPECT_THAT(refusal(params), HasSubstr("hop"));
}

}  // namespace
}  // namespace avbench
