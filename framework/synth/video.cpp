#include <algorithm>
#include <cmath>

#include "synth/random.h"
#include "synth/render.h"

namespace avbench::synth {
namespace {

// Where the object is at `time`: it runs from one end to the other between two hits.
Point position(const SceneVideo& video, const Rhythm& rhythm, double time) {
  const double sweep = (time - rhythm.offset) / rhythm.period;
  const double whole = std::floor(sweep);
  const bool back = std::fmod(std::abs(whole), 2) == 1;
  const double share = back ? 1 - (sweep - whole) : sweep - whole;
  return {video.from.x + share * (video.to.x - video.from.x),
          video.from.y + share * (video.to.y - video.from.y)};
}

// Signed distance to the outline of a shape of radius 1, negative inside (an estimate for the
// cross outside its corners, which is all that anti-aliasing needs).
double outline(Shape shape, double x, double y) {
  switch (shape) {
    case Shape::kDisc:
      return std::hypot(x, y) - 0.95;
    case Shape::kSquare:
      return std::max(std::abs(x), std::abs(y)) - 0.85;
    case Shape::kTriangle:
      return std::max(y - 0.65, 0.866 * std::abs(x) - 0.5 * y - 0.6);
    case Shape::kCross: {
      const double wide = std::max(std::abs(x) - 1.0, std::abs(y) - 0.33);
      const double tall = std::max(std::abs(x) - 0.33, std::abs(y) - 1.0);
      return std::min(wide, tall);
    }
  }
  return 1;
}

double wrapped(double value) { return value - std::floor(value + 0.5); }

void blend(float* pixel, const Rgb& colour, double share) {
  const float s = static_cast<float>(std::clamp(share, 0.0, 1.0));
  for (int c = 0; c < 3; ++c) pixel[c] += s * (colour[c] - pixel[c]);
}

struct Canvas {
  int width, height;
  double unit;  // pixels a unit length
  Point at(int column, int row) const {
    return {(column + 0.5 - width / 2.0) / unit, (row + 0.5 - height / 2.0) / unit};
  }
};

std::vector<float> render_background(const Canvas& canvas, const SceneVideo& video) {
  std::vector<float> image(static_cast<size_t>(canvas.width) * canvas.height * 3);
  float* pixel = image.data();
  for (int row = 0; row < canvas.height; ++row) {
    for (int column = 0; column < canvas.width; ++column, pixel += 3) {
      const Point p = canvas.at(column, row);
      std::copy(video.background.begin(), video.background.end(), pixel);
      for (const Grating& grating : video.gratings) {
        const auto wave = static_cast<float>(
            std::sin(grating.wave.x * p.x + grating.wave.y * p.y + grating.phase));
        for (int c = 0; c < 3; ++c) pixel[c] += wave * grating.amplitude[c];
      }
    }
  }
  return image;
}

void draw_distractor(const Canvas& canvas, const SceneVideo& video, double time, float* pixel) {
  const Point centre{video.distractor.x + time * video.distractor_velocity.x,
                     video.distractor.y + time * video.distractor_velocity.y};
  for (int row = 0; row < canvas.height; ++row) {
    for (int column = 0; column < canvas.width; ++column, pixel += 3) {
      const Point p = canvas.at(column, row);
      const double distance = std::hypot(wrapped(p.x - centre.x), wrapped(p.y - centre.y));
      blend(pixel, video.distractor_colour, 1.5 * (1 - distance / video.distractor_radius));
    }
  }
}

void draw_object(const Canvas& canvas, const SceneVideo& video, Point centre, float* pixel) {
  const double cos = std::cos(video.angle), sin = std::sin(video.angle);
  for (int row = 0; row < canvas.height; ++row) {
    for (int column = 0; column < canvas.width; ++column, pixel += 3) {
      const Point p = canvas.at(column, row);
      const double dx = (p.x - centre.x) / video.radius, dy = (p.y - centre.y) / video.radius;
      if (dx * dx + dy * dy > 4) continue;
      const double inside =
          -outline(video.shape, cos * dx + sin * dy, cos * dy - sin * dx) * video.radius;
      blend(pixel, video.colour, inside * canvas.unit + 0.5);
    }
  }
}

}  // namespace

int frame_count(const SynthOptions& options) {
  return std::max(1, static_cast<int>(std::lround(options.seconds * options.fps)));
}

std::vector<uint8_t> render_frames(const SynthOptions& options, const Scene& scene) {
  const SceneVideo& video = scene.video;
  const Canvas canvas{options.width, options.height,
                      double(std::min(options.width, options.height))};
  const std::vector<float> background = render_background(canvas, video);
  SynthRandom grain({video.noise_seed});
  std::vector<uint8_t> frames;
  frames.reserve(background.size() * frame_count(options));
  for (int frame = 0; frame < frame_count(options); ++frame) {
    const double time = double(frame) / options.fps;
    std::vector<float> image = background;
    draw_distractor(canvas, video, time, image.data());
    if (!video.hidden) {
      draw_object(canvas, video, position(video, scene.rhythm, time), image.data());
    }
    for (float value : image) {
      value += static_cast<float>(video.grain) * grain.noise();
      frames.push_back(static_cast<uint8_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * 255)));
    }
  }
  return frames;
}

}  // namespace avbench::synth
