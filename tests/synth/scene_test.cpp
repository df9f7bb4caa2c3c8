#include "synth/scene.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace avbench::synth {
namespace {

SynthOptions with_seed(uint64_t seed) {
  SynthOptions options;
  options.seed = seed;
  return options;
}

TEST(SynthScene, EveryClassHasItsOwnLookAndItsOwnTimbre) {
  std::set<std::pair<Shape, Direction>> looks;
  std::set<std::pair<Spectrum, Contour>> timbres;
  std::set<std::string> names;
  for (int label = 0; label < kMaxSynthClasses; ++label) {
    const ClassCues cues = cues_of(label);
    looks.insert({cues.shape, cues.direction});
    timbres.insert({cues.spectrum, cues.contour});
    names.insert(synth_class_name(label));
  }
  EXPECT_EQ(looks.size(), size_t{kMaxSynthClasses});
  EXPECT_EQ(timbres.size(), size_t{kMaxSynthClasses});
  EXPECT_EQ(names.size(), size_t{kMaxSynthClasses});
}

TEST(SynthScene, NoSingleCueTellsOneOfEightClasses) {
  std::map<Shape, int> shapes;
  std::map<Direction, int> directions;
  std::map<Spectrum, int> spectra;
  std::map<Contour, int> contours;
  for (int label = 0; label < 8; ++label) {
    const ClassCues cues = cues_of(label);
    ++shapes[cues.shape], ++directions[cues.direction];
    ++spectra[cues.spectrum], ++contours[cues.contour];
  }
  for (const auto& [cue, classes] : shapes) EXPECT_EQ(classes, 2);
  for (const auto& [cue, classes] : directions) EXPECT_EQ(classes, 2);
  for (const auto& [cue, classes] : spectra) EXPECT_EQ(classes, 2);
  for (const auto& [cue, classes] : contours) EXPECT_EQ(classes, 2);
}

// Six standard errors of a share of 0.3 (0.09) in 8000 files are 0.031 (0.019).
TEST(SynthScene, HidesVideoAndAudioIndependentlyInThreeOfTenFiles) {
  const SynthOptions options = with_seed(3);
  constexpr int kFiles = 8000;
  double hidden = 0, masked = 0, both = 0;
  for (int i = 0; i < kFiles; ++i) {
    const Scene scene = make_scene(options, SynthSplit::kVal, i);
    hidden += scene.video.hidden;
    masked += scene.audio.masked;
    both += scene.video.hidden && scene.audio.masked;
  }
  EXPECT_NEAR(hidden / kFiles, 0.3, 0.031);
  EXPECT_NEAR(masked / kFiles, 0.3, 0.031);
  EXPECT_NEAR(both / kFiles, 0.09, 0.02);
}

TEST(SynthScene, DependsOnSeedSplitAndIndexAlone) {
  const auto key = [](const SynthOptions& options, SynthSplit split, int64_t index) {
    const Scene s = make_scene(options, split, index);
    return std::tuple(s.video.noise_seed, s.audio.noise_seed, s.rhythm.offset, s.audio.pitch);
  };
  SynthOptions more_files = with_seed(1);
  more_files.files = {9000, 10, 10};
  EXPECT_EQ(key(with_seed(1), SynthSplit::kTrain, 5), key(more_files, SynthSplit::kTrain, 5));
  const std::set different{
      key(with_seed(1), SynthSplit::kTrain, 5), key(with_seed(2), SynthSplit::kTrain, 5),
      key(with_seed(1), SynthSplit::kVal, 5), key(with_seed(1), SynthSplit::kTest, 5),
      key(with_seed(1), SynthSplit::kTrain, 13)};
  EXPECT_EQ(different.size(), 5u);
}

TEST(SynthScene, LabelsAreBalancedAndDirectionIsTheLookOfTheClass) {
  const SynthOptions options = with_seed(4);
  std::map<int, int> count;
  for (int i = 0; i < 80; ++i) {
    const Scene scene = make_scene(options, SynthSplit::kTrain, i);
    ++count[scene.label];
    const double dx = scene.video.to.x - scene.video.from.x;
    const double dy = scene.video.to.y - scene.video.from.y;
    switch (cues_of(scene.label).direction) {
      case Direction::kAcross:
        EXPECT_TRUE(dx > 0.3 && std::abs(dy) < 1e-9);
        break;
      case Direction::kUpDown:
        EXPECT_TRUE(dy > 0.3 && std::abs(dx) < 1e-9);
        break;
      case Direction::kRising:
        EXPECT_NEAR(dx, -dy, 1e-9);
        break;
      case Direction::kFalling:
        EXPECT_NEAR(dx, dy, 1e-9);
        break;
    }
  }
  for (const auto& [label, files] : count) EXPECT_EQ(files, 10);
}

TEST(SynthScene, RhythmIsSharedAndHasFewPeriods) {
  std::set<double> periods;
  for (int i = 0; i < 200; ++i) {
    const Scene scene = make_scene(with_seed(5), SynthSplit::kTrain, i);
    EXPECT_EQ(scene.rhythm.period, scene.audio_rhythm.period);
    EXPECT_EQ(scene.rhythm.offset, scene.audio_rhythm.offset);
    periods.insert(scene.rhythm.period);
  }
  EXPECT_LE(periods.size(), 2u);
}

TEST(SynthScene, ShuffledPairsArePermutedAudiosOfOtherTrainingFiles) {
  SynthOptions plain = with_seed(6);
  plain.files = {400, 80, 80};
  SynthOptions shuffled = plain;
  shuffled.shuffle_pairs = true;
  std::set<uint64_t> original, moved;
  int same_class = 0;
  for (int64_t i = 0; i < 400; ++i) {
    const Scene a = make_scene(plain, SynthSplit::kTrain, i);
    const Scene b = make_scene(shuffled, SynthSplit::kTrain, i);
    EXPECT_EQ(a.video.noise_seed, b.video.noise_seed);
    EXPECT_NE(a.audio.noise_seed, b.audio.noise_seed);
    original.insert(a.audio.noise_seed);
    moved.insert(b.audio.noise_seed);
    same_class += a.audio.spectrum == b.audio.spectrum && a.audio.contour == b.audio.contour;
  }
  EXPECT_EQ(original, moved);
  EXPECT_NEAR(same_class / 400.0, 1.0 / 8, 0.1);  // six standard errors
  const Scene a = make_scene(plain, SynthSplit::kTest, 3);
  EXPECT_EQ(a.audio.noise_seed, make_scene(shuffled, SynthSplit::kTest, 3).audio.noise_seed);
}

}  // namespace
}  // namespace avbench::synth
