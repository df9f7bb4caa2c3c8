#include "synth/scene.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "synth/random.h"

namespace avbench::synth {
namespace {

enum Stream : uint64_t { kRhythmStream, kVideoStream, kAudioStream, kPairStream };

constexpr std::array<std::string_view, 4> kShapeNames{"disc", "square", "triangle", "cross"};
constexpr std::array<std::string_view, 4> kDirectionNames{"across", "updown", "rising", "falling"};
// Few periods, so that the rhythm tells files apart no better than two.
constexpr std::array<double, 2> kPeriods{0.4, 0.5};

SynthRandom stream(uint64_t seed, SynthSplit split, int64_t index, Stream stream) {
  return SynthRandom({seed, static_cast<uint64_t>(split), static_cast<uint64_t>(index), stream});
}

Rgb random_colour(SynthRandom& random, double low, double high) {
  Rgb colour;
  for (float& channel : colour) channel = static_cast<float>(random.uniform(low, high));
  return colour;
}

// y points down, as in the frame.
Point unit_vector(Direction direction) {
  const double d = std::numbers::sqrt2 / 2;
  switch (direction) {
    case Direction::kAcross:
      return {1, 0};
    case Direction::kUpDown:
      return {0, 1};
    case Direction::kRising:
      return {d, -d};
    case Direction::kFalling:
      return {d, d};
  }
  return {};
}

Rhythm make_rhythm(SynthRandom random) {
  Rhythm rhythm;
  rhythm.period = kPeriods[static_cast<size_t>(random.below(kPeriods.size()))];
  rhythm.offset = random.uniform(0, 2 * rhythm.period);
  return rhythm;
}

SceneVideo make_video(const ClassCues& cues, SynthRandom random) {
  SceneVideo video;
  video.shape = cues.shape;
  video.hidden = random.chance(kHiddenShare);
  video.radius = random.uniform(0.17, 0.25);
  video.angle = random.uniform(-0.3, 0.3);

  const double reach = random.uniform(0.18, 0.24);
  const double room = 0.46 - video.radius;
  const Point axis = unit_vector(cues.direction);
  const auto centre = [&](double along) {
    const double free = std::max(0.0, room - reach * std::abs(along));
    return random.uniform(-free, free);
  };
  const Point middle{centre(axis.x), centre(axis.y)};
  video.from = {middle.x - reach * axis.x, middle.y - reach * axis.y};
  video.to = {middle.x + reach * axis.x, middle.y + reach * axis.y};

  // The object is brighter than what lies behind it.
  video.background = random_colour(random, 0.1, 0.35);
  video.colour = random_colour(random, 0.6, 1.0);
  for (Grating& grating : video.gratings) {
    const double frequency = random.uniform(4, 25),
                 heading = random.uniform(0, 2 * std::numbers::pi);
    grating.wave = {frequency * std::cos(heading), frequency * std::sin(heading)};
    grating.phase = random.uniform(0, 2 * std::numbers::pi);
    grating.amplitude = random_colour(random, -0.04, 0.04);
  }

  video.distractor = {random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5)};
  const double speed = random.uniform(0.3, 0.9), heading = random.uniform(0, 2 * std::numbers::pi);
  video.distractor_velocity = {speed * std::cos(heading), speed * std::sin(heading)};
  video.distractor_radius = random.uniform(0.06, 0.12);
  video.distractor_colour = random_colour(random, 0.2, 0.6);
  video.grain = random.uniform(0.01, 0.03);
  video.noise_seed = random.next();
  return video;
}

SceneAudio make_audio(const ClassCues& cues, SynthRandom random) {
  SceneAudio audio;
  audio.spectrum = cues.spectrum;
  audio.contour = cues.contour;
  audio.masked = random.chance(kHiddenShare);
  audio.pitch = 300 * std::exp2(random.uniform(0, 1.5));
  audio.level = std::exp2(random.uniform(-3, -1));
  const double ratio = audio.masked ? 1 : std::exp2(random.uniform(-7, -4));
  audio.noise = (audio.masked ? 0.25 : audio.level) * ratio;
  audio.noise_tilt = random.uniform(0, 0.9);
  audio.note_seconds = random.uniform(0.22, 0.34);
  audio.noise_seed = random.next();
  return audio;
}

}  // namespace

std::string_view name_of(SynthSplit split) {
  constexpr std::array<std::string_view, 3> kNames{"train", "val", "test"};
  return kNames[static_cast<size_t>(split)];
}

ClassCues cues_of(int label) {
  const int first = label % 4, second = (label + label / 4) % 4;
  return {static_cast<Shape>(first), static_cast<Direction>(second), static_cast<Spectrum>(first),
          static_cast<Contour>(second)};
}

std::string synth_class_name(int label) {
  const ClassCues cues = cues_of(label);
  return std::string(kShapeNames[static_cast<size_t>(cues.shape)]) + "-" +
         std::string(kDirectionNames[static_cast<size_t>(cues.direction)]);
}

Scene make_scene(const SynthOptions& options, SynthSplit split, int64_t index) {
  const auto label_of = [&](int64_t file) { return static_cast<int>(file % options.classes); };
  const bool shuffled = options.shuffle_pairs && split == SynthSplit::kTrain;
  const int64_t heard = shuffled ? shuffled_partner(options.seed, options.files[0], index) : index;
  Scene scene;
  scene.label = label_of(index);
  scene.rhythm = make_rhythm(stream(options.seed, split, index, kRhythmStream));
  scene.audio_rhythm = make_rhythm(stream(options.seed, split, heard, kRhythmStream));
  scene.video = make_video(cues_of(scene.label), stream(options.seed, split, index, kVideoStream));
  scene.audio =
      make_audio(cues_of(label_of(heard)), stream(options.seed, split, heard, kAudioStream));
  return scene;
}

int64_t shuffled_partner(uint64_t seed, int64_t count, int64_t index) {
  // Sattolo's algorithm: a permutation that is one cycle has no fixed point.
  SynthRandom random({seed, kPairStream});
  std::vector<int64_t> partner(static_cast<size_t>(count));
  std::iota(partner.begin(), partner.end(), 0);
  for (int64_t i = count - 1; i > 0; --i) std::swap(partner[i], partner[random.below(i)]);
  return partner[static_cast<size_t>(index)];
}

}  // namespace avbench::synth
