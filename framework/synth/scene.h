// What one sees and hears in a synthetic file, as a pure function of (seed, split, index).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace avbench::synth {

// What is rendered, and how: the whole identity of a synthetic data set.
struct SynthOptions {
  int classes = 8;                               // 2 to kMaxSynthClasses
  std::array<int64_t, 3> files{4000, 800, 800};  // train, val, test
  uint64_t seed = 1;
  int width = 48, height = 48;  // even
  double seconds = 2.0;
  int fps = 8;
  bool shuffle_pairs = false;  // training videos get the audio of another training file
};

inline constexpr int kMaxSynthClasses = 16;
inline constexpr int kSynthSampleRate = 24000;
inline constexpr double kHiddenShare = 0.3;  // of the files, for video and audio independently

enum class SynthSplit { kTrain, kVal, kTest };
std::string_view name_of(SynthSplit split);

// A class is a pair of cues, the same pair in video and audio: the shape goes with the spectrum,
// the direction of motion with the contour of the note. One cue alone leaves several classes open.
enum class Shape { kDisc, kSquare, kTriangle, kCross };
enum class Direction { kAcross, kUpDown, kRising, kFalling };
enum class Spectrum { kPure, kHarmonic, kMetallic, kNoisy };
enum class Contour { kDecay, kSwell, kGlideUp, kGlideDown };

struct ClassCues {
  Shape shape;
  Direction direction;
  Spectrum spectrum;
  Contour contour;
};
ClassCues cues_of(int label);             // label in [0, kMaxSynthClasses)
std::string synth_class_name(int label);  // "disc-across"

using Rgb = std::array<float, 3>;  // 0 to 1

// Lengths and positions are in units of the frame's shorter side, the origin is its centre.
struct Point {
  double x = 0, y = 0;
};

// Hits at offset + k * period, k any integer: a bounce in the video, a note in the audio.
struct Rhythm {
  double period = 0.5, offset = 0;  // seconds
};

struct Grating {
  Point wave;  // radians a unit length
  double phase = 0;
  Rgb amplitude{};
};

struct SceneVideo {
  Shape shape{};
  bool hidden = false;
  Point from, to;  // where the object bounces
  double radius = 0, angle = 0;
  Rgb colour{}, background{};
  std::array<Grating, 3> gratings{};
  Point distractor, distractor_velocity;  // wraps around the frame, silent
  double distractor_radius = 0;
  Rgb distractor_colour{};
  double grain = 0;  // deviation of the pixel noise
  uint64_t noise_seed = 0;
};

struct SceneAudio {
  Spectrum spectrum{};
  Contour contour{};
  bool masked = false;
  double pitch = 440;     // Hz
  double level = 1;       // peak of a note
  double noise = 0;       // deviation of the background noise
  double noise_tilt = 0;  // 0 white to 1 brown
  double note_seconds = 0.3;
  uint64_t noise_seed = 0;
};

struct Scene {
  int label = 0;
  Rhythm rhythm, audio_rhythm;  // differ only in a shuffled pair
  SceneVideo video;
  SceneAudio audio;
};

// Classes alternate with the index, so every split is balanced.
Scene make_scene(const SynthOptions& options, SynthSplit split, int64_t index);

// The training file whose audio goes with video `index` under shuffle_pairs: a permutation of
// [0, count) without a fixed point, the same for every index of one seed.
int64_t shuffled_partner(uint64_t seed, int64_t count, int64_t index);

}  // namespace avbench::synth
