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

  // A frame of the input.
  void fill(const float* x, int64_t slot) const {
    const int64_t content = line_ - 2 * pad_;
    float* to = this->slot(slot);
    for (int64_t row = 0; row < conv_.input.height; ++row, to += line_, x += content) {
      std::memset(to, 0, sizeof(float) * pad_);
      std::memcpy(to + pad_, x, sizeof(float) * content);
      std::memset(to + pad_ + content, 0, sizeof(float) * pad_);
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

// Some output frames of some samples, and the input frames that they need.
struct Part {
  int64_t first_sample, samples, first_frame, frames, input_begin, input_end;

  int64_t inputs() const { return std::max<int64_t>(0, input_end - input_begin); }
};

// Part by part: the input's lines and the gradient are packed; then each (kt, kh, panel) sums over
// a few lines at a time, which stay in the first cache while all kW * channels columns pass by. A
// part's sums are added to the total at once.
class DirectGradient {
 public:
  DirectGradient(const ConvGeometry& conv, const float* x, const float* gy)
      : conv_(conv),
        input_(conv.input),
        output_(conv.output()),
        x_(x),
        gy_(gy),
        columns_(conv.kernel[2] * input_.channels),
        width_(panel_width(conv.out_channels)),
        panels_((conv.out_channels + width_ - 1) / width_),
        positions_(output_.height * output_.width),
        frames_(std::min(wanted_frames(), output_.frames)),
        samples_(std::clamp<int64_t>(wanted_frames() / output_.frames, 1, output_.batch)),
        lines_(conv,
               samples_ * std::min(input_.frames, (frames_ - 1) * conv.stride[0] + conv.kernel[0])),
        next_panel_(samples_ * frames_ * positions_ * width_),
        gradients_(panels_ * next_panel_),
        total_(places() * panels_ * columns_ * width_) {}

  void run(float* gw) const {
    std::memset(total_.get(), 0, sizeof(float) * places() * panels_ * columns_ * width_);
    for (int64_t sample = 0; sample < output_.batch; sample += samples_) {
      for (int64_t frame = 0; frame < output_.frames; frame += frames_) {
        const Part part = part_at(sample, frame);
        pack(part);
        multiply(part);
      }
    }
    run_jobs(output_.channels, [&] { return [&](int64_t out) { write(out, gw); }; });
  }

 private:
  // About 4096 positions: their gradient stays in the second cache, and late layers with many
  // weights pass over them once.
  int64_t wanted_frames() const { return std::max<int64_t>(1, 4096 / positions_); }
  int64_t places() const { return conv_.kernel[0] * conv_.kernel[1]; }

  Part part_at(int64_t sample, int64_t frame) const {
    const int64_t frames = std::min(frames_, output_.frames - frame);
    const int64_t from = frame * conv_.stride[0] - conv_.padding[0];
    return {.first_sample = sample,
            .samples = std::min(samples_, output_.batch - sample),
            .first_frame = frame,
            .frames = frames,
            .input_begin = std::max<int64_t>(0, from),
            .input_end =
                std::min(input_.frames, from + (frames - 1) * conv_.stride[0] + conv_.kernel[0])};
  }

  const float* input_frame(const Part& part, int64_t sample, int64_t frame) const {
    return x_ + ((part.first_sample + sample) * input_.frames + frame) * input_.frame_size();
  }

  void pack(const Part& part) const {
    const int64_t inputs = lines_.copied() ? part.inputs() : 0;
    run_jobs(part.samples * (inputs + part.frames), [&] {
      return [&, inputs](int64_t job) {
        const int64_t sample = job / (inputs + part.frames), at = job % (inputs + part.frames);
        if (at < inputs) {
          lines_.fill(input_frame(part, sample, part.input_begin + at), sample * inputs + at);
          return;
        }
        const int64_t frame = at - inputs;
        const int64_t index =
            (part.first_sample + sample) * output_.frames + part.first_frame + frame;
        pack_panels(gy_ + index * output_.frame_size(), positions_, output_.channels, width_,
                    next_panel_,
                    gradients_.get() + (sample * part.frames + frame) * positions_ * width_);
      };
    });
  }

  void multiply(const Part& part) const {
    run_jobs(places() * panels_, [&] {
      return [&, sums = std::make_shared<Scratch>(columns_ * width_)](int64_t job) {
        const int64_t place = job / panels_, panel = job % panels_;
        if (!sum(part, place / conv_.kernel[1], place % conv_.kernel[1], panel, sums->get()))
          return;
        float* to = total_.get() + job * columns_ * width_;
        for (int64_t i = 0; i < columns_ * width_; ++i) to[i] += sums->get()[i];
      };
    });
  }

  // False where no output of the part has the taps (t, h).
  bool sum(const Part& part, int64_t t, int64_t h, int64_t panel, float* sums) const {
    const auto& [stride_t, stride_h, stride_w] = conv_.stride;
    // Output lines whose input line at this tap exists; some of them at a time.
    const int64_t begin = std::max<int64_t>(0, (conv_.padding[1] - h + stride_h - 1) / stride_h);
    const int64_t last = input_.height - 1 + conv_.padding[1] - h;
    const int64_t end = last < 0 ? 0 : std::min(output_.height, last / stride_h + 1);
    const int64_t step = std::max<int64_t>(1, 128 / output_.width);
    bool empty = true;
    for (int64_t sample = 0; sample < part.samples; ++sample) {
      for (int64_t frame = 0; frame < part.frames; ++frame) {
        const int64_t from = (part.first_frame + frame) * stride_t - conv_.padding[0] + t;
        if (from < 0 || from >= input_.frames) continue;
        const float* source = lines_.copied()
                                  ? lines_.slot(sample * part.inputs() + from - part.input_begin)
                                  : input_frame(part, sample, from);
        const float* gradient = gradients_.get() + panel * next_panel_ +
                                (sample * part.frames + frame) * positions_ * width_;
        for (int64_t line = begin; line < end; line += step) {
          tile_product({.a = source + (line * stride_h - conv_.padding[1] + h) * lines_.line(),
                        .a_row = 1,
                        .a_tap = stride_h * lines_.line(),
                        .a_k = stride_w * input_.channels,
                        .b = gradient + line * output_.width * width_,
                        .b_tap = output_.width * width_,
                        .c = sums,
                        .rows = columns_,
                        .taps = std::min(step, end - line),
                        .k = output_.width,
                        .width = width_,
                        .accumulate = !std::exchange(empty, false)});
        }
      }
    }
    return !empty;
  }

  void write(int64_t out, float* gw) const {
    float* to = gw + out * places() * columns_;
    for (int64_t place = 0; place < places(); ++place) {
      const float* from =
          total_.get() + (place * panels_ + out / width_) * columns_ * width_ + out % width_;
      for (int64_t i = 0; i < columns_; ++i) *to++ = from[i * width_];
    }
  }

  const ConvGeometry& conv_;
  Volume input_, output_;
  const float *x_, *gy_;
  int64_t columns_;           // kW * channels
  int64_t width_, panels_;    // of the output's channels
  int64_t positions_;         // of an output frame
  int64_t frames_, samples_;  // of a part
  PaddedLines lines_;
  int64_t next_panel_;
  Scratch gradients_;  // [panel][sample frame position][lane]
  Scratch total_;      // [kt kh][panel][kW channel][lane]
};

}  // namespace

Volume ConvGeometry::output() const {
  const auto extent = [&](int axis, int64_t size) {
    return output_extent(size, kernel[axis], stride[axis], padding[axis]);
  };
  return {input.batch, extent(0, input.frames), extent(1, input.height), extent(2, input.width),
          out_channels};
}

void weight_gradient(const ConvGeometry& conv, const float* x, const float* gy, float* gw) {
  DirectGradient(conv, x, gy).run(gw);
}

}  // namespace avbench::kernels
