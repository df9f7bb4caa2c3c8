#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "synth/render.h"

namespace avbench::synth {
namespace {

// One still, bright, upright object in the middle of a black, noiseless frame.
Scene still_life(Shape shape) {
  Scene scene;
  scene.video.shape = shape;
  scene.video.radius = 0.25;
  scene.video.colour = {1, 1, 1};
  scene.video.distractor = {0.5, 0.5};
  scene.video.distractor_radius = 1e-3;
  return scene;
}

SynthOptions one_frame(int width = 64, int height = 64) {
  SynthOptions options;
  options.width = width;
  options.height = height;
  options.fps = 1;
  options.seconds = 1;
  return options;
}

struct Moments {
  double mass = 0, x = 0, y = 0;  // pixels, and the centre in pixels
};

Moments moments(const uint8_t* frame, int width, int height) {
  Moments m;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      const double value = frame[(row * width + column) * 3] / 255.0;
      m.mass += value, m.x += value * (column + 0.5), m.y += value * (row + 0.5);
    }
  }
  m.x /= m.mass, m.y /= m.mass;
  return m;
}

// Areas of the outlines in units of the squared radius: a disc of 0.95, a square of half side
// 0.85, a triangle (base 0.65, apex -1.2 and half base (0.6 + 0.325) / 0.866), and a cross of arms
// 2 x 0.66.
TEST(SynthVideo, ShapesCoverTheAreaOfTheirOutline) {
  const double half_base = (0.6 + 0.5 * 0.65) / 0.866;
  const std::pair<Shape, double> areas[] = {{Shape::kDisc, std::numbers::pi * 0.95 * 0.95},
                                            {Shape::kSquare, 1.7 * 1.7},
                                            {Shape::kTriangle, half_base * (0.65 + 1.2)},
                                            {Shape::kCross, 2 * 2 * 0.66 - 0.66 * 0.66}};
  for (const auto& [shape, area] : areas) {
    const auto frame = render_frames(one_frame(128, 128), still_life(shape));
    EXPECT_NEAR(moments(frame.data(), 128, 128).mass, area * 32 * 32, 0.03 * area * 32 * 32)
        << static_cast<int>(shape);
  }
}

TEST(SynthVideo, FramesHaveTheSizeAskedFor) {
  SynthOptions options = one_frame(64, 48);
  options.fps = 8;
  options.seconds = 2;
  EXPECT_EQ(frame_count(options), 16);
  EXPECT_EQ(render_frames(options, still_life(Shape::kDisc)).size(), 16u * 64 * 48 * 3);
}

// With hits at 0.25 + k * 0.5 the object is at `from` at 0.25, at `to` at 0.75, half-way at 0.5.
TEST(SynthVideo, ObjectTurnsExactlyAtTheHits) {
  SynthOptions options = one_frame(64, 64);
  options.fps = 4;
  options.seconds = 1.25;
  Scene scene = still_life(Shape::kDisc);
  scene.video.radius = 0.1;
  scene.video.from = {-0.25, 0};
  scene.video.to = {0.25, 0};
  scene.rhythm = {0.5, 0.25};
  const auto frames = render_frames(options, scene);
  const double expected[] = {32, 16, 32, 48, 32};
  for (int i = 0; i < 5; ++i) {
    const Moments m = moments(frames.data() + i * 64 * 64 * 3, 64, 64);
    EXPECT_NEAR(m.x, expected[i], 0.3) << i;
    EXPECT_NEAR(m.y, 32, 0.3) << i;
  }
}

TEST(SynthVideo, HiddenObjectLeavesNothingBehind) {
  Scene scene = still_life(Shape::kSquare);
  scene.video.hidden = true;
  const auto frame = render_frames(one_frame(), scene);
  EXPECT_EQ(std::count(frame.begin(), frame.end(), 0), static_cast<int64_t>(frame.size()));
}

TEST(SynthVideo, ObjectsStayInTheFrame) {
  SynthOptions options;
  for (int i = 0; i < 400; ++i) {
    const SceneVideo video = make_scene(options, SynthSplit::kTrain, i).video;
    for (const Point& end : {video.from, video.to}) {
      EXPECT_LE(std::max(std::abs(end.x), std::abs(end.y)) + video.radius, 0.5);
    }
  }
}

}  // namespace
}  // namespace avbench::synth
