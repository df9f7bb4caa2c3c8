#include <algorithm>
#include <cmath>

#include "synth/random.h"
#include "synth/render.h"

namespace avbench::synth {
namespace {

struct Partial {
  double ratio, amplitude;
};

std::vector<Partial> partials_of(Spectrum spectrum) {
  switch (spectrum) {
    case Spectrum::kPure:
      return {{1, 1}};
    case Spectrum::kHarmonic: {
      std::vector<Partial> stack;
      for (int k = 1; k <= 10; ++k) stack.push_back({double(k), 0.4 / std::sqrt(k)});
      return stack;
    }
    // Partials of a free bar (Fletcher and Rossing, The Physics of Musical Instruments).
    case Spectrum::kMetallic:
      return {{1, 0.5}, {2.756, 0.4}, {5.404, 0.35}, {8.933, 0.3}};
    case Spectrum::kNoisy:
      return {};
  }
  return {};
}

// Pitch factor and loudness at `share` (0 to 1) of a note.
struct NotePoint {
  double pitch, loudness;
};

NotePoint note_at(Contour contour, double share) {
  const double attack = std::min(1.0, share * 20), release = std::min(1.0, (1 - share) * 10);
  switch (contour) {
    case Contour::kDecay:
      return {1, attack * std::exp(-4 * share) * release};
    case Contour::kSwell:
      return {1, std::exp(-4 * (1 - share)) * release};
    case Contour::kGlideUp:
      return {std::exp2(1.2 * share), 0.7 * attack * release};
    case Contour::kGlideDown:
      return {std::exp2(1.2 * (1 - share)), 0.7 * attack * release};
  }
  return {1, 0};
}

constexpr double kRate = kSynthSampleRate;
constexpr int kBlock = 24;  // samples that share a pitch and a ramp of loudness: 1 ms

// A resonator (two-pole filter) driven by noise: energy around the pitch.
class NoiseBand {
 public:
  explicit NoiseBand(uint64_t seed) : random_({seed}) {}
  float next(double frequency) {
    const double radius = 1 - std::numbers::pi * 0.5 * frequency / kRate;
    const double cosine = std::cos(2 * std::numbers::pi * frequency / kRate);
    const double out =
        random_.noise() * (1 - radius) * 2 + 2 * radius * cosine * y1_ - radius * radius * y2_;
    y2_ = y1_;
    y1_ = out;
    return static_cast<float>(out);
  }

 private:
  SynthRandom random_;
  double y1_ = 0, y2_ = 0;
};

float sine(double turns) {
  static const std::vector<float> kTable = [] {
    std::vector<float> table(4096);
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<float>(std::sin(2 * std::numbers::pi * double(i) / 4096));
    }
    return table;
  }();
  return kTable[static_cast<size_t>(turns * 4096) & 4095];
}

void add_note(const SceneAudio& audio, double start, NoiseBand& band, std::vector<float>& wave) {
  const std::vector<Partial> partials = partials_of(audio.spectrum);
  const auto length = static_cast<int64_t>(audio.note_seconds * kRate);
  const auto first = static_cast<int64_t>(std::llround(start * kRate));
  double phase = 0;  // turns of the fundamental
  NotePoint point{1, 0};
  for (int64_t i = 0; i < length; ++i) {
    if (i % kBlock == 0) point = note_at(audio.contour, double(i) / double(length));
    const double frequency = audio.pitch * point.pitch;
    phase += frequency / kRate;
    const int64_t at = first + i;
    if (at < 0 || at >= static_cast<int64_t>(wave.size())) continue;
    float value = audio.spectrum == Spectrum::kNoisy ? band.next(2 * frequency) : 0;
    for (const Partial& partial : partials) {
      if (partial.ratio * frequency > 0.46 * kRate) break;
      value += static_cast<float>(partial.amplitude) * sine(partial.ratio * phase);
    }
    wave[at] += static_cast<float>(audio.level * point.loudness) * value;
  }
}

void add_noise(const SceneAudio& audio, std::vector<float>& wave) {
  SynthRandom random({audio.noise_seed});
  const auto keep = static_cast<float>(audio.noise_tilt);
  const auto scale = static_cast<float>(audio.noise * std::sqrt(1 - keep * keep));
  float state = 0;
  for (float& sample : wave) {
    state = keep * state + random.noise();
    sample += scale * state;
  }
}

}  // namespace

std::vector<float> render_audio(const SynthOptions& options, const Scene& scene) {
  std::vector<float> wave(static_cast<size_t>(std::llround(options.seconds * kRate)));
  if (!scene.audio.masked) {
    const Rhythm& rhythm = scene.audio_rhythm;
    NoiseBand band(scene.audio.noise_seed + 1);
    for (double hit = rhythm.offset - 2 * rhythm.period; hit < options.seconds;
         hit += rhythm.period) {
      add_note(scene.audio, hit, band, wave);
    }
  }
  add_noise(scene.audio, wave);
  for (float& sample : wave) sample = std::clamp(sample, -1.0f, 1.0f);
  return wave;
}

}  // namespace avbench::synth
