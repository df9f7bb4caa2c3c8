#include "kernels/weight_gradient.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "kernels/jobs.h"
#include "kernels/tile_product.h"

namespace avbench::kernels {
namespace {

int64_t output_extent(int64_t input, int64_t kernel, int64_t stride, int64_t padding) {
  return (input + 2 * padding - kernel) / stride + 1;
}

// The input's lines with their padding, so that the taps of a line that lie side by side are one
// run of kW * channels floats for each output. Without padding they are the input's own.
class PaddedLines {
 public:
  PaddedLines(const ConvGeometry& conv, int64_t slots)
      : conv_(conv),
        pad_(conv.padding[2] * conv.input.channels),
        line_(conv.input.width * conv.input.channels + 2 * pad_),
        data_(pad_ == 0 ? 0 : slots * conv.input.height * line_) {}

  int64_t line() const { return line_; }
  bool copied() const { return pad_ != 0; }
  float* slot(int64_t slot) const { return data_.get() + slot * conv_.input.height * line_; }

  void fill(const float* x, int64_t slot) const {
    const int64_t pad = pad_, content = line_ - 2 * pad;
    float* to = this->slot(slot);
    for (int64_t row = 0; row < conv_.input.height; ++row, to += line_, x += content) {
      std::memset(to, 0, sizeof(float) * pad);
      std::memcpy(to + pad, x, sizeof(float) * content);
      std::memset(to + pad + content, 0, sizeof(float) * pad);
    }
  }

 private:
  const ConvGeometry& conv_;
  int64_t pad_, line_;
  Scratch data_;
};

// gy of one frame cut into panels: [panel][position][lane], filled up with zeros.
void pack_panels(const float* gy, int64_t positions, int64_t channels, int64_t width,
                 int64_t next_panel, float* to) {
  for (int64_t first = 0; first < channels; first += width, to += next_panel) {
    const int64_t count = std::min(width, channels - first);
    for (int64_t p = 0; p < positions; ++p) {
      std::memcpy(to + p * width, gy + p * channels + first, sizeof(float) * count);
      std::memset(to + p * width + count, 0, sizeof(float) * (width - count));
    }
  }
}

}  // namespace

Volume ConvGeometry::output() const {
  const auto extent = [&](int axis, int64_t size) {
    return output_extent(size, kernel[axis], stride[axis], padding[axis]);
  };
  return {input.batch, extent(0, input.frames), extent(1, input.height), extent(2, input.width),
          out_channels};
}

// A block is some output frames of all samples in a row. Its input frames and its gradient are
// packed first; then each (kt, kh, panel) sums over a few lines at a time, which stay in the first
// cache while all kW * channels columns pass by.
void weight_gradient(const ConvGeometry& conv, const float* x, const float* gy, float* gw) {
  const Volume& input = conv.input;
  const Volume output = conv.output();
  const auto& [kt, kh, kw] = conv.kernel;
  const auto& [stride_t, stride_h, stride_w] = conv.stride;
  const auto& [pad_t, pad_h, pad_w] = conv.padding;
  const int64_t columns = kw * input.channels;
  const int64_t width = panel_width(conv.out_channels);
  const int64_t panels = (conv.out_channels + width - 1) / width;
  const int64_t positions = output.height * output.width;

  // Whole samples, or a part of one: about 4096 positions, so that gradients stay in the second
  // cache and late layers with many weights pass over them once.
  const int64_t frames_wanted = std::max<int64_t>(1, 4096 / positions);
  const int64_t block_frames = std::min(frames_wanted, output.frames);
  const int64_t block_samples = std::clamp<int64_t>(frames_wanted / output.frames, 1, output.batch);
  const int64_t input_frames = std::min(input.frames, (block_frames - 1) * stride_t + kt);

  const PaddedLines lines(conv, block_samples * input_frames);
  const int64_t next_panel = block_samples * block_frames * positions * width;
  const Scratch gradients(panels * next_panel);
  // [kt kh][panel][kw channel][lane]
  const Scratch total(kt * kh * panels * columns * width);
  std::memset(total.get(), 0, sizeof(float) * kt * kh * panels * columns * width);
  // Output lines of a product.
  const int64_t step = std::max<int64_t>(1, 128 / output.width);

  for (int64_t first_sample = 0; first_sample < output.batch; first_sample += block_samples) {
    const int64_t samples = std::min(block_samples, output.batch - first_sample);
    for (int64_t first = 0; first < output.frames; first += block_frames) {
      const int64_t frames = std::min(block_frames, output.frames - first);
      const int64_t input_begin = std::max<int64_t>(0, first * stride_t - pad_t);
      const int64_t input_end =
          std::min(input.frames, (first + frames - 1) * stride_t - pad_t + kt);
      const int64_t inputs =
          lines.copied() ? std::max<int64_t>(0, input_end - input_begin) : 0;  // to be copied
      run_jobs(samples * (inputs + frames), [&] {
        return [&](int64_t job) {
          const int64_t sample = job / (inputs + frames), frame = job % (inputs + frames);
          if (frame < inputs) {
            const int64_t index = (first_sample + sample) * input.frames + input_begin + frame;
            lines.fill(x + index * input.frame_size(), sample * inputs + frame);
          } else {
            const int64_t at = frame - inputs;
            const int64_t index = (first_sample + sample) * output.frames + first + at;
            pack_panels(gy + index * output.frame_size(), positions, output.channels, width,
                        next_panel, gradients.get() + (sample * frames + at) * positions * width);
          }
        };
      });
      run_jobs(kt * kh * panels, [&] {
        return [&, sums = std::make_shared<Scratch>(columns * width)](int64_t job) {
          const int64_t t = job / (kh * panels), h = job / panels % kh, panel = job % panels;
          bool empty = true;
          // Output lines whose input line at this tap exists.
          const int64_t begin = std::max<int64_t>(0, (pad_h - h + stride_h - 1) / stride_h);
          const int64_t end =
              std::min(output.height, (input.height - 1 + pad_h - h) / stride_h + 1);
          for (int64_t sample = 0; sample < samples; ++sample) {
            for (int64_t frame = 0; frame < frames; ++frame) {
              const int64_t from = (first + frame) * stride_t - pad_t + t;
              if (from < 0 || from >= input.frames) continue;
              const float* source =
                  lines.copied()
                      ? lines.slot(sample * inputs + from - input_begin)
                      : x + ((first_sample + sample) * input.frames + from) * input.frame_size();
              const float* gradient = gradients.get() + panel * next_panel +
                                      (sample * frames + frame) * positions * width;
              for (int64_t line = begin; line < end; line += step) {
                tile_product({.a = source + (line * stride_h - pad_h + h) * lines.line(),
                              .a_row = 1,
                              .a_tap = stride_h * lines.line(),
                              .a_k = stride_w * input.channels,
                              .b = gradient + line * output.width * width,
                              .b_tap = output.width * width,
                              .c = sums->get(),
                              .rows = columns,
                              .taps = std::min(step, end - line),
                              .k = output.width,
                              .width = width,
                              .accumulate = !std::exchange(empty, false)});
              }
            }
          }
          if (empty) return;
          float* to = total.get() + job * columns * width;
          for (int64_t i = 0; i < columns * width; ++i) to[i] += sums->get()[i];
        };
      });
    }
  }

  run_jobs(conv.out_channels, [&] {
    return [&](int64_t o) {
      const int64_t panel = o / width, lane = o % width;
      float* to = gw + o * kt * kh * columns;
      for (int64_t place = 0; place < kt * kh; ++place) {
        const float* from = total.get() + (place * panels + panel) * columns * width + lane;
        for (int64_t i = 0; i < columns; ++i) *to++ = from[i * width];
      }
    };
  });
}

}  // namespace avbench::kernels
