#include "app/sample_image.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "app/canvas.h"
#include "data/audio_image.h"

namespace avbench::app {
namespace {

constexpr int64_t kMostColumns = 8;                            // frames side by side
constexpr int64_t kLeastFrame = 96, kLeastAudio = 320;         // pixels, after enlarging
constexpr int kGap = 6, kTick = 5;                             // pixels
constexpr int kLabelWidth = 7 * Canvas::kLetterWidth + kTick;  // "22.1kHz"
constexpr int kLabelHeight = Canvas::kLetterHeight + 4;

int64_t factor(int64_t size, int64_t least) {
  return std::max<int64_t>(1, (least + size - 1) / size);
}

// [3 or 1, H, W] in [0, 1], each value a block of `scale` x `scale` pixels.
void draw(Canvas& canvas, int64_t x, int64_t y, const Tensor& image, int64_t scale) {
  const Tensor bytes =
      (image.expand({3, -1, -1}) * 255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  const auto values = bytes.accessor<uint8_t, 3>();
  for (int64_t row = 0; row < values.size(0); ++row) {
    for (int64_t column = 0; column < values.size(1); ++column) {
      const auto pixel = values[row][column];
      canvas.fill(static_cast<int>(x + column * scale), static_cast<int>(y + row * scale),
                  static_cast<int>(scale), static_cast<int>(scale), pixel[0], pixel[1], pixel[2]);
    }
  }
}

std::string hertz_text(double hertz) {
  return hertz < 1000 ? fmt::format("{:.0f}Hz", hertz) : fmt::format("{:.1f}kHz", hertz / 1000);
}

struct Layout {
  int64_t frame_scale, audio_scale;
  int64_t columns, rows;  // of frames
  int64_t cell_width, cell_height;
  int64_t audio_top;
  int64_t width, height;
};

Layout layout_of(const SampleImage& sample) {
  const int64_t frames = sample.video.size(1);
  const int64_t frame_height = sample.video.size(2), frame_width = sample.video.size(3);
  const int64_t audio_height = sample.audio.size(2), audio_width = sample.audio.size(3);
  Layout l{};
  l.frame_scale = factor(frame_width, kLeastFrame);
  l.audio_scale = factor(audio_width, kLeastAudio);
  l.columns = std::min(frames, kMostColumns);
  l.rows = (frames + l.columns - 1) / l.columns;
  l.cell_width = frame_width * l.frame_scale + kGap;
  l.cell_height = frame_height * l.frame_scale + kLabelHeight + kGap;
  l.audio_top = l.rows * l.cell_height + Canvas::kLetterHeight / 2;
  l.width =
      std::max(l.columns * l.cell_width, kLabelWidth + audio_width * l.audio_scale + kLabelWidth);
  l.height = l.audio_top + audio_height * l.audio_scale + kTick + kLabelHeight;
  return l;
}

void draw_frames(Canvas& canvas, const SampleImage& sample, const Layout& l) {
  for (int64_t t = 0; t < sample.video.size(1); ++t) {
    const int64_t x = t % l.columns * l.cell_width, y = t / l.columns * l.cell_height;
    draw(canvas, x, y, sample.video.select(1, t), l.frame_scale);
    const double second = sample.first_second + static_cast<double>(t) * sample.seconds_a_frame;
    canvas.write(static_cast<int>(x), static_cast<int>(y + l.cell_height - kLabelHeight - kGap + 2),
                 fmt::format("{:.2f}s", second));
  }
}

void draw_spectrogram(Canvas& canvas, const SampleImage& sample,
                      const config::SpectrogramConfig& config, const Layout& l) {
  constexpr int kTicks = 5;
  const bool raw = config.kind == config::SpectrogramConfig::Kind::kRaw;
  const Tensor plane = sample.audio.select(1, 0);
  const Tensor shown = config.flip || raw ? plane : plane.flip({1});
  draw(canvas, kLabelWidth, l.audio_top, shown, l.audio_scale);
  const int64_t height = shown.size(1), width = shown.size(2);
  const int64_t bottom = l.audio_top + height * l.audio_scale;
  for (int i = 0; i < kTicks && !raw; ++i) {
    // Share of the crop's height, from its lowest frequency up.
    const double up = static_cast<double>(i) / (kTicks - 1);
    const double low_row =
        config.flip ? static_cast<double>(config.resize[0] - height - sample.audio_crop.y)
                    : static_cast<double>(sample.audio_crop.y);
    const double share =
        (low_row + up * static_cast<double>(height)) / static_cast<double>(config.resize[0]);
    const auto y = static_cast<int>(bottom - up * static_cast<double>(height * l.audio_scale));
    canvas.fill(kLabelWidth - kTick, y, kTick, 1, 0, 0, 0);
    canvas.write(0, y - Canvas::kLetterHeight / 2, hertz_text(data::frequency_at(config, share)));
  }
  for (int i = 0; i < kTicks && !raw; ++i) {
    const double right = static_cast<double>(i) / (kTicks - 1);
    const double share =
        (static_cast<double>(sample.audio_crop.x) + right * static_cast<double>(width)) /
        static_cast<double>(config.resize[1]);
    const auto [begin, end] = sample.audio_span;
    const auto x =
        static_cast<int>(kLabelWidth + right * static_cast<double>(width * l.audio_scale));
    canvas.fill(x, static_cast<int>(bottom), 1, kTick, 0, 0, 0);
    canvas.write(x - Canvas::kLetterWidth * 2, static_cast<int>(bottom + kTick + 2),
                 fmt::format("{:.2f}s", begin + share * (end - begin)));
  }
}

}  // namespace

void write_sample_image(const std::filesystem::path& path, const SampleImage& sample,
                        const config::SpectrogramConfig& spectrogram) {
  const Layout layout = layout_of(sample);
  Canvas canvas(static_cast<int>(layout.width), static_cast<int>(layout.height));
  draw_frames(canvas, sample, layout);
  draw_spectrogram(canvas, sample, spectrogram, layout);
  canvas.save(path);
}

}  // namespace avbench::app
