#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "synth/render.h"

namespace avbench::synth {
namespace {

// Notes at 0.2, 0.7, 1.2, ... s, without any noise.
Scene notes(Spectrum spectrum, Contour contour) {
  Scene scene;
  scene.audio_rhythm = {0.5, 0.2};
  scene.audio.spectrum = spectrum;
  scene.audio.contour = contour;
  scene.audio.pitch = 500;
  scene.audio.level = 0.25;
  scene.audio.note_seconds = 0.25;
  return scene;
}

// Magnitude of the discrete Fourier sum of wave[begin, begin + length) at `frequency`.
double magnitude(const std::vector<float>& wave, double begin, double length, double frequency) {
  std::complex<double> sum;
  const auto first = static_cast<int64_t>(begin * kSynthSampleRate);
  const auto count = static_cast<int64_t>(length * kSynthSampleRate);
  for (int64_t i = 0; i < count; ++i) {
    const double turns = frequency * double(i) / kSynthSampleRate;
    const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * double(i) / double(count));
    sum += window * wave[first + i] * std::polar(1.0, -2 * std::numbers::pi * turns);
  }
  return std::abs(sum) / double(count);
}

double loudness(const std::vector<float>& wave, double begin, double end) {
  double sum = 0;
  for (auto i = static_cast<int64_t>(begin * kSynthSampleRate); i < end * kSynthSampleRate; ++i) {
    sum += wave[i] * wave[i];
  }
  return std::sqrt(sum / ((end - begin) * kSynthSampleRate));
}

TEST(SynthAudio, NotesBeginAtTheHits) {
  const auto wave = render_audio(SynthOptions{}, notes(Spectrum::kPure, Contour::kDecay));
  ASSERT_EQ(wave.size(), 2u * kSynthSampleRate);
  for (double hit : {0.2, 0.7, 1.2, 1.7}) {
    EXPECT_EQ(loudness(wave, hit - 0.05, hit - 0.001), 0) << hit;
    EXPECT_GT(loudness(wave, hit + 0.01, hit + 0.05), 0.05) << hit;
  }
}

TEST(SynthAudio, SpectraDifferInTheirPartialsAtOnePitch) {
  const auto partial = [](Spectrum spectrum, double ratio) {
    const auto wave = render_audio(SynthOptions{}, notes(spectrum, Contour::kDecay));
    return magnitude(wave, 0.2, 0.2, 500 * ratio);
  };
  EXPECT_GT(partial(Spectrum::kPure, 1), 100 * partial(Spectrum::kPure, 2));
  EXPECT_GT(partial(Spectrum::kHarmonic, 2), 10 * partial(Spectrum::kHarmonic, 2.5));
  EXPECT_GT(partial(Spectrum::kHarmonic, 5), 10 * partial(Spectrum::kHarmonic, 5.404));
  EXPECT_GT(partial(Spectrum::kMetallic, 2.756), 10 * partial(Spectrum::kMetallic, 2));
  EXPECT_GT(partial(Spectrum::kMetallic, 5.404), 10 * partial(Spectrum::kMetallic, 5));
}

TEST(SynthAudio, ContoursDifferInLoudnessOrPitchOverTheNote) {
  const auto wave = [](Contour c) {
    return render_audio(SynthOptions{}, notes(Spectrum::kPure, c));
  };
  const auto decay = wave(Contour::kDecay), swell = wave(Contour::kSwell);
  EXPECT_GT(loudness(decay, 0.22, 0.27), 2 * loudness(decay, 0.37, 0.42));
  EXPECT_LT(2 * loudness(swell, 0.22, 0.27), loudness(swell, 0.37, 0.42));
  // Around the note's 10th part the pitch is a factor of 2^0.12, around its 9th of 2^1.08.
  const auto up = wave(Contour::kGlideUp), down = wave(Contour::kGlideDown);
  const double low = 500 * std::exp2(0.12), high = 500 * std::exp2(1.08);
  EXPECT_GT(magnitude(up, 0.205, 0.04, low), 3 * magnitude(up, 0.205, 0.04, high));
  EXPECT_GT(magnitude(up, 0.405, 0.04, high), 3 * magnitude(up, 0.405, 0.04, low));
  EXPECT_GT(magnitude(down, 0.205, 0.04, high), 3 * magnitude(down, 0.205, 0.04, low));
  EXPECT_GT(magnitude(down, 0.405, 0.04, low), 3 * magnitude(down, 0.405, 0.04, high));
}

TEST(SynthAudio, MaskedAudioIsTheSameWhateverTheClass) {
  Scene a = notes(Spectrum::kPure, Contour::kDecay), b = notes(Spectrum::kNoisy, Contour::kGlideUp);
  for (Scene* scene : {&a, &b}) {
    scene->audio.masked = true;
    scene->audio.noise = 0.1;
    scene->audio.noise_seed = 5;
  }
  const auto wave = render_audio(SynthOptions{}, a);
  EXPECT_EQ(wave, render_audio(SynthOptions{}, b));
  EXPECT_NEAR(loudness(wave, 0, 2), 0.1, 0.003);  // white noise of the deviation asked for
}

}  // namespace
}  // namespace avbench::synth
