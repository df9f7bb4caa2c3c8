#include "data/audio_image.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/fixtures.h"
#include "data/magma.h"
#include "data/resize.h"

namespace avbench::data {
namespace {

std::vector<float> sweep() {
  std::vector<float> wave(8000);
  for (size_t i = 0; i < wave.size(); ++i) {
    const double t = static_cast<double>(i) / 8000;
    wave[i] = static_cast<float>(0.5 * std::sin(2 * M_PI * (200 * t + 1500 * t * t)));
  }
  return wave;
}

std::vector<float> image(const config::SpectrogramConfig& config) {
  return AudioImage(config).make(sweep());
}

// small_spectrogram() without a last resizing: 32 x 32.
config::SpectrogramConfig unresized() {
  config::SpectrogramConfig config = small_spectrogram();
  config.resize = config.size;
  return config;
}

double luminance(uint32_t colour) {
  const auto linear = [&](int shift) { return std::pow((colour >> shift & 255) / 255.0, 2.2); };
  return 0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0);
}

TEST(Magma, HasThePublishedColours) {
  EXPECT_EQ(magma(0), 0x000004u);
  EXPECT_EQ(magma(64), 0x51127cu);
  EXPECT_EQ(magma(128), 0xb73779u);
  EXPECT_EQ(magma(192), 0xfc8961u);
  EXPECT_EQ(magma(255), 0xfcfdbfu);
}

// What the map was made for; a wrong digit anywhere would show.
TEST(Magma, GrowsLighterInSmallSteps) {
  for (int64_t i = 1; i < 256; ++i) {
    EXPECT_GT(luminance(magma(i)), luminance(magma(i - 1))) << i;
    for (const int shift : {0, 8, 16}) {
      const int step =
          static_cast<int>(magma(i) >> shift & 255) - static_cast<int>(magma(i - 1) >> shift & 255);
      EXPECT_LE(std::abs(step), 4) << i;
    }
  }
}

TEST(AudioImage, IsTheSpectrogramResized) {
  media::LogMel log_mel({.sample_rate = 8000,
                         .n_fft = 512,
                         .window = 128,
                         .hop = 128,
                         .bands = 32,
                         .f_max = 4000,
                         .rows = 32,
                         .columns = 32});
  std::vector<float> expected(32 * 32);
  log_mel.image(sweep(), expected);
  EXPECT_EQ(image(unresized()), expected);
  EXPECT_EQ(image(small_spectrogram()), resize_bilinear(expected, {32, 32}, {24, 30}));
}

TEST(AudioImage, FlipPutsTheHighFrequenciesOnTop) {
  config::SpectrogramConfig config = unresized();
  const std::vector<float> low_first = image(config);
  config.flip = true;
  const std::vector<float> high_first = image(config);
  for (int row = 0; row < 32; ++row) {
    for (int column = 0; column < 32; ++column) {
      EXPECT_EQ(high_first[row * 32 + column], low_first[(31 - row) * 32 + column]);
    }
  }
  EXPECT_NE(high_first, low_first);
}

TEST(AudioImage, MagmaReplacesEachValueByItsColourBeforeResizing) {
  config::SpectrogramConfig config = unresized();
  const std::vector<float> grey = image(config);
  config.colour = config::SpectrogramConfig::Colour::kMagma;
  ASSERT_EQ(image_planes(config), 3);
  const std::vector<float> planes = image(config);
  ASSERT_EQ(planes.size(), 3 * grey.size());
  for (size_t i = 0; i < grey.size(); ++i) {
    const uint32_t colour = magma(static_cast<int64_t>(std::floor(255 * grey[i] + 0.5f)));
    EXPECT_FLOAT_EQ(255 * planes[i], colour / 65536);
    EXPECT_FLOAT_EQ(255 * planes[1024 + i], colour / 256 % 256);
    EXPECT_FLOAT_EQ(255 * planes[2048 + i], colour % 256);
  }
  config.resize = {24, 30};
  const std::vector<float> small = image(config);
  const std::vector<float> green(planes.begin() + 1024, planes.begin() + 2048);
  EXPECT_EQ(std::vector<float>(small.begin() + 720, small.begin() + 1440),
            resize_bilinear(green, {32, 32}, {24, 30}));
}

TEST(AudioImage, ReadsScaleAndFrequencyFromTheConfiguration) {
  config::SpectrogramConfig config = unresized();
  const auto expect_as = [&](media::LogMelParams params) {
    params.sample_rate = 8000;
    params.window = params.hop = 128;
    params.f_max = 4000;
    params.rows = params.columns = 32;
    std::vector<float> expected(32 * 32);
    media::LogMel(params).image(sweep(), expected);
    EXPECT_EQ(image(config), expected);
  };
  config.scale = config::SpectrogramConfig::Scale::kDb;
  expect_as({.n_fft = 512, .bands = 32, .scale = media::PowerScale::kDecibels});
  config.scale = config::SpectrogramConfig::Scale::kLog;
  config.mel_scale = config::SpectrogramConfig::MelScale::kSlaney;
  config.mel_norm = config::SpectrogramConfig::MelNorm::kSlaney;
  expect_as({.n_fft = 512,
             .bands = 32,
             .mel_scale = media::MelScale::kSlaney,
             .mel_norm = media::MelNorm::kSlaney});
  config.frequency = config::SpectrogramConfig::Frequency::kLinear;
  config.n_fft = 255;
  config.bands = 128;
  expect_as({.n_fft = 255, .frequency = media::Frequency::kLinear, .bands = 128});
}

TEST(AudioImage, FoldsRawAudioRowByRow) {
  config::SpectrogramConfig config = unresized();
  config.kind = config::SpectrogramConfig::Kind::kRaw;
  config.n_fft = 16;  // would leave bands empty: not looked at
  std::vector<float> ramp(32 * 32);
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i) - 500;
  const std::vector<float> got = AudioImage(config).make(ramp);
  for (size_t i = 0; i < ramp.size(); ++i) EXPECT_FLOAT_EQ(got[i], static_cast<float>(i) / 1023);
}

// By hand: half of HTK's 3266.34 mel at 12 kHz is 2281.61 Hz, half of Slaney's 45.2456 at 8 kHz
// 1688.91 Hz.
TEST(AudioImage, TellsTheFrequencyOfAHeight) {
  config::SpectrogramConfig config = unresized();
  config.f_min = 0;
  config.f_max = 12000;
  EXPECT_NEAR(frequency_at(config, 0), 0, 1e-9);
  EXPECT_NEAR(frequency_at(config, 0.5), 2281.610303, 1e-5);
  EXPECT_NEAR(frequency_at(config, 1), 12000, 1e-6);
  config.mel_scale = config::SpectrogramConfig::MelScale::kSlaney;
  config.f_max = 8000;
  EXPECT_NEAR(frequency_at(config, 0.5), 1688.908463, 1e-5);
  config.frequency = config::SpectrogramConfig::Frequency::kLinear;
  config.sample_rate = 16000;
  EXPECT_NEAR(frequency_at(config, 0.25), 2000, 1e-9);
}

// Every sample by itself.
TEST(AudioAround, HasSilenceBeyondTheEnds) {
  std::vector<float> audio(1000);
  for (size_t i = 0; i < audio.size(); ++i) audio[i] = static_cast<float>(i + 1);
  for (const double centre : {-3.0, 0.0, 0.05, 0.5, 0.93, 1.0, 7.0}) {
    for (const double seconds : {0.01, 0.2, 0.201, 3.0}) {
      const std::vector<float> got = audio_around(audio, 1000, centre, seconds);
      ASSERT_EQ(got.size(), std::lround(1000 * seconds));
      for (size_t i = 0; i < got.size(); ++i) {
        const auto at =
            std::lround(1000 * centre) - static_cast<long>(got.size() / 2) + static_cast<long>(i);
        const bool inside = at >= 0 && at < 1000;
        EXPECT_EQ(got[i], inside ? static_cast<float>(at + 1) : 0.f) << centre << " " << seconds;
      }
    }
  }
}

}  // namespace
}  // namespace avbench::data
