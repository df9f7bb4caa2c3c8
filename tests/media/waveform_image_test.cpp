#include "media/waveform_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "media/fixtures.h"

namespace avbench::media {
namespace {

using namespace test;

std::vector<float> image(const std::vector<float>& wave, size_t values) {
  std::vector<float> out(values, 7.f);
  WaveformImage().image(wave, out);
  return out;
}

TEST(WaveformImage, OfTheSameLengthIsOnlyScaled) {
  const std::vector<float> wave = noise(1024);
  const float low = *std::min_element(wave.begin(), wave.end());
  const float high = *std::max_element(wave.begin(), wave.end());
  const std::vector<float> got = image(wave, wave.size());
  for (size_t i = 0; i < wave.size(); ++i) EXPECT_FLOAT_EQ(got[i], (wave[i] - low) / (high - low));
}

// A tone known at every time: sample i of n lies at i / n of the track.
TEST(WaveformImage, SpreadsTheWholeTrackOverTheImage) {
  for (const size_t samples : {240000u, 24001u, 100000u}) {
    std::vector<float> wave(samples);
    const auto tone = [&](double share) {
      return std::sin(2 * M_PI * 40 * share) * std::sin(M_PI * share);
    };
    for (size_t i = 0; i < samples; ++i) {
      wave[i] = static_cast<float>(tone(static_cast<double>(i) / static_cast<double>(samples)));
    }
    const std::vector<float> got = image(wave, 65536);
    double most = 0;
    for (size_t i = 0; i < 65536; ++i) most = std::max(most, tone(static_cast<double>(i) / 65536));
    for (size_t i = 0; i < 65536; i += 7) {
      const double expected = (tone(static_cast<double>(i) / 65536) / most + 1) / 2;
      ASSERT_NEAR(got[i], expected, 5e-3) << samples << " at " << i;
    }
  }
}

TEST(WaveformImage, KeepsToItsRangeForAnyLength) {
  for (const size_t samples : {64u, 255u, 4099u}) {
    const std::vector<float> got = image(noise(samples), 4096);
    EXPECT_FLOAT_EQ(*std::min_element(got.begin(), got.end()), 0) << samples;
    EXPECT_FLOAT_EQ(*std::max_element(got.begin(), got.end()), 1) << samples;
  }
}

TEST(WaveformImage, SilenceAndNothingGiveZeros) {
  for (const size_t samples : {0u, 1u, 17u, 500u}) {
    EXPECT_EQ(image(std::vector<float>(samples, 0.f), 64), std::vector<float>(64, 0.f));
  }
}

}  // namespace
}  // namespace avbench::media
