#include "kernels/winograd.h"

#include <memory>

#include "kernels/jobs.h"
#include "kernels/winograd_blocks.h"

namespace avbench::kernels {
namespace {

// Rows of a block whose windows fill about half of a second cache; enough rows share a pass over
// the weights, and enough blocks occupy the threads. How a layer is cut changes no sum.
int64_t wanted_rows(const Volume& output, int64_t channels) {
  constexpr int64_t kCache = 640 << 10, kFewest = 64, kMost = 256;
  const int64_t fit = std::clamp<int64_t>(kCache / (kPoints * 4 * channels), kFewest, kMost);
  return std::clamp<int64_t>(tiles_of(output) / (2 * at::get_num_threads()), 1, fit);
}

// u[panel][point][tap][k][lane]: the product of one panel and point reads a contiguous piece.
struct PackedWeights {
  PackedWeights(int64_t taps_, int64_t depth_, const Panels& panels_)
      : taps(taps_),
        depth(depth_),
        panels(panels_),
        data(panels_.count * kPoints * taps_ * depth_ * panels_.width) {}

  int64_t tap_size() const { return depth * panels.width; }
  int64_t point_size() const { return taps * tap_size(); }
  float* at(int64_t panel, int64_t point) const {
    return data.get() + (panel * kPoints + point) * point_size();
  }

  int64_t taps, depth;
  Panels panels;
  Scratch data;
};

// Fills `packed` from weights of which source(tap, k) gives the first lane's first of nine taps,
// `tap_step` floats apart.
template <typename Source>
void pack(const PackedWeights& packed, ptrdiff_t tap_step, const Source& source) {
  const Panels& panels = packed.panels;
  run_jobs(panels.count * packed.taps, [&] {
    return [&](int64_t job) {
      const int64_t panel = job / packed.taps, tap = job % packed.taps;
      const int64_t first = panel * panels.width;
      for (int64_t k = 0; k < packed.depth; ++k) {
        transform_weights(source(tap, k) + first, tap_step,
                          std::min(panels.width, panels.channels - first), panels.width,
                          packed.at(panel, 0) + tap * packed.tap_size() + k * panels.width,
                          packed.point_size());
      }
    };
  });
}

// [out][place][in] to [place][in][out].
void turn_weights(const float* w, int64_t out, int64_t places, int64_t in, float* turned) {
  run_jobs(places, [&] {
    return [=](int64_t place) {
      constexpr int64_t kLine = 16;  // floats of a line of the cache
      for (int64_t first = 0; first < out; first += kLine) {
        const int64_t end = std::min(first + kLine, out);
        for (int64_t i = 0; i < in; ++i) {
          for (int64_t o = first; o < end; ++o) {
            turned[(place * in + i) * out + o] = w[(o * places + place) * in + i];
          }
        }
      }
    };
  });
}

// Sums over the input's channels; lanes are outputs.
PackedWeights pack_forward(const WinogradConv& conv, const float* w) {
  const int64_t in = conv.input.channels, out = conv.out_channels;
  const Scratch turned(conv.taps * 9 * in * out);
  turn_weights(w, out, conv.taps * 9, in, turned.get());
  PackedWeights packed(conv.taps, in, Panels(out));
  pack(packed, in * out,
       [&](int64_t tap, int64_t k) { return turned.get() + (tap * 9 * in + k) * out; });
  return packed;
}

// Sums over the outputs; lanes are the input's channels. All taps run backwards.
PackedWeights pack_backward(const WinogradConv& conv, const float* w) {
  const int64_t in = conv.input.channels, out = conv.out_channels;
  PackedWeights packed(conv.taps, out, Panels(in));
  pack(packed, -in, [&](int64_t tap, int64_t k) {
    return w + ((k * conv.taps + conv.taps - 1 - tap) * 9 + 8) * in;
  });
  return packed;
}

// Runs of a block's output frames that have the same taps: call(first, count, taps), frames counted
// from the block's first.
template <typename Call>
void each_run(const Block& block, const Volume& input, int64_t taps, int64_t padding,
              const Call& call) {
  const auto range = [&](int64_t frame) {
    return taps_of(block.first_frame + frame, 1, padding, taps, input.frames);
  };
  for (int64_t first = 0; first < block.frames;) {
    int64_t end = first + 1;
    while (end < block.frames && range(end) == range(first)) ++end;
    call(first, end - first, range(first));
    first = end;
  }
}

// A convolution of stride 1 with packed weights: y = conv(x) + bias.
class Convolution {
 public:
  Convolution(const Volume& input, const float* x, const PackedWeights& weights,
              const Extent& padding, const float* bias, const Volume& output, float* y)
      : input_(input),
        x_(x),
        weights_(weights),
        padding_(padding),
        bias_(bias),
        output_(output),
        y_(y),
        blocks_(output, wanted_rows(output, input.channels)),
        depth_(window_depth(input.channels)),
        window_point_(blocks_.input_rows(weights.taps) * depth_ + kSkew),
        sum_point_(blocks_.output_rows() * weights.panels.width + kSkew) {}

  void run() const {
    run_jobs(blocks_.count(), [&] {
      return [this, windows = std::make_shared<Scratch>(kPoints * window_point_),
              sums = std::make_shared<Scratch>(kPoints * sum_point_)](int64_t job) {
        const Block block = blocks_[job];
        transform(block, windows->get());
        for (int64_t panel = 0; panel < weights_.panels.count; ++panel) {
          multiply(block, panel, windows->get(), sums->get());
          write(block, panel, sums->get());
        }
      };
    });
  }

 private:
  void transform(const Block& block, float* windows) const {
    const FrameRange frames = input_frames(block, input_, weights_.taps, padding_[0]);
    for (int64_t frame = frames.begin; frame < frames.end; ++frame) {
      float* to = windows + (frame - frames.begin) * block.frame_rows() * depth_;
      transform_frame(block, input_, x_, frame, padding_, {to, window_point_, depth_, depth_, 0});
    }
  }

  void multiply(const Block& block, int64_t panel, const float* windows, float* sums) const {
    const int64_t width = weights_.panels.width, frame_rows = block.frame_rows();
    const int64_t first_input = input_frames(block, input_, weights_.taps, padding_[0]).begin;
    for (int64_t point = 0; point < kPoints; ++point) {
      each_run(block, input_, weights_.taps, padding_[0],
               [&](int64_t first, int64_t count, const TapRange& taps) {
                 const int64_t from =
                     block.first_frame + first - padding_[0] + taps.begin - first_input;
                 tile_product({.a = windows + point * window_point_ + from * frame_rows * depth_,
                               .a_row = depth_,
                               .a_tap = frame_rows * depth_,
                               .a_k = 1,
                               .b = weights_.at(panel, point) + taps.begin * weights_.tap_size(),
                               .b_tap = weights_.tap_size(),
                               .c = sums + point * sum_point_ + first * frame_rows * width,
                               .rows = count * frame_rows,
                               .taps = taps.end - taps.begin,
                               .k = input_.channels,
                               .width = width,
                               .accumulate = false});
               });
    }
  }

  void write(const Block& block, int64_t panel, const float* sums) const {
    const int64_t width = weights_.panels.width, first = panel * width;
    for (int64_t frame = 0; frame < block.frames; ++frame) {
      each_tile_row(block, output_, block.first_frame + frame, [&](int64_t offset, int64_t row) {
        transform_outputs(sums, sum_point_, width, output_.channels - first,
                          bias_ != nullptr ? bias_ + first : nullptr,
                          {y_ + offset + first, output_.height, output_.width, output_.channels},
                          row, block.tiles_across);
        sums += block.tiles_across * width;
      });
    }
  }

  const Volume& input_;
  const float* x_;
  const PackedWeights& weights_;
  const Extent& padding_;
  const float* bias_;
  const Volume& output_;
  float* y_;
  Blocks blocks_;
  int64_t depth_;         // floats of a row of windows
  int64_t window_point_;  // from one point's rows to the next one's
  int64_t sum_point_;
};

}  // namespace

Volume WinogradConv::output() const {
  return {input.batch, input.frames + 2 * padding[0] - taps + 1, input.height + 2 * padding[1] - 2,
          input.width + 2 * padding[2] - 2, out_channels};
}

void winograd_forward(const WinogradConv& conv, const float* x, const float* w, const float* bias,
                      float* y) {
  const PackedWeights weights = pack_forward(conv, w);
  const Volume output = conv.output();
  Convolution(conv.input, x, weights, conv.padding, bias, output, y).run();
}

void winograd_input_gradient(const WinogradConv& conv, const float* gy, const float* w, float* gx) {
  const PackedWeights weights = pack_backward(conv, w);
  const Volume output = conv.output();
  const Extent padding{conv.taps - 1 - conv.padding[0], 2 - conv.padding[1], 2 - conv.padding[2]};
  Convolution(output, gy, weights, padding, nullptr, conv.input, gx).run();
}

}  // namespace avbench::kernels
