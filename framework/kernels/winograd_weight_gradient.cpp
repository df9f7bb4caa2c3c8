#include <cstring>
#include <memory>

#include "kernels/jobs.h"
#include "kernels/winograd.h"
#include "kernels/winograd_blocks.h"

namespace avbench::kernels {
namespace {

// Rows of a block. It cuts the sums, so it must not depend on the number of threads.
int64_t wanted_rows(int64_t channels) { return std::clamp<int64_t>(16384 / channels, 128, 512); }

// Block by block: first the windows of x and the transformed gradient, then, for each tap and panel
// of outputs, the products of all 36 points over the block's rows, which come back to nine taps at
// once. So a sum is one of blocks, and the 36 sums of a weight never leave the second cache.
class WeightGradient {
 public:
  WeightGradient(const WinogradConv& conv, const float* x, const float* gy)
      : input_(conv.input),
        output_(conv.output()),
        taps_(conv.taps),
        padding_(conv.padding),
        x_(x),
        gy_(gy),
        panels_(conv.out_channels),
        blocks_(output_, wanted_rows(input_.channels)),
        depth_(window_depth(input_.channels)),
        window_point_(blocks_.input_rows(taps_) * depth_ + kSkew),
        gradient_point_(blocks_.output_rows() * panels_.width + kSkew),
        windows_(kPoints * window_point_),
        gradients_(panels_.count * kPoints * gradient_point_),
        total_(taps_ * panels_.count * 9 * tap_step()) {}

  void run(float* gw) const {
    std::memset(total_.get(), 0, sizeof(float) * taps_ * panels_.count * 9 * tap_step());
    for (int64_t b = 0; b < blocks_.count(); ++b) {
      const Block block = blocks_[b];
      transform(block);
      multiply(block);
    }
    run_jobs(panels_.channels, [&] { return [&](int64_t out) { write(out, gw); }; });
  }

 private:
  // [channel][lane] of one tap.
  int64_t tap_step() const { return input_.channels * panels_.width; }
  float* total(int64_t tap, int64_t panel) const {
    return total_.get() + (tap * panels_.count + panel) * 9 * tap_step();
  }

  void transform(const Block& block) const {
    const FrameRange frames = input_frames(block, input_, taps_, padding_[0]);
    const int64_t inputs = frames.end - frames.begin;
    run_jobs(inputs + block.frames, [&] {
      return [&](int64_t job) {
        if (job < inputs) {
          float* to = windows_.get() + job * block.frame_rows() * depth_;
          transform_frame(block, input_, x_, frames.begin + job, padding_,
                          {to, window_point_, depth_, depth_, 0});
        } else {
          transform_gradients(block, job - inputs);
        }
      };
    });
  }

  void transform_gradients(const Block& block, int64_t frame) const {
    Transformed to{gradients_.get() + frame * block.frame_rows() * panels_.width, gradient_point_,
                   panels_.width, panels_.width, kPoints * gradient_point_};
    each_tile_row(block, output_, block.first_frame + frame, [&](int64_t offset, int64_t row) {
      transform_gradient({gy_ + offset, output_.height, output_.width, output_.channels}, row,
                         block.tiles_across, to);
      to.data += block.tiles_across * to.tile;
    });
  }

  void multiply(const Block& block) const {
    // Channels in parts, so that many threads find work.
    const int64_t part = std::min<int64_t>(input_.channels, 56);
    const int64_t parts = parts_of(input_.channels, part);
    const int64_t sum_point = part * panels_.width + kSkew;
    run_jobs(taps_ * panels_.count * parts, [&] {
      return [=, this, &block, sums = std::make_shared<Scratch>(kPoints * sum_point)](int64_t job) {
        const int64_t tap = job / (panels_.count * parts), panel = job / parts % panels_.count;
        const int64_t first = job % parts * part;
        const int64_t channels = std::min(part, input_.channels - first);
        if (!multiply(block, tap, panel, first, channels, sums->get(), sum_point)) return;
        transform_weight_sums(sums->get(), sum_point, channels * panels_.width,
                              total(tap, panel) + first * panels_.width, tap_step());
      };
    });
  }

  // The 36 sums of some input channels; false where no frame has this tap.
  bool multiply(const Block& block, int64_t tap, int64_t panel, int64_t first, int64_t channels,
                float* sums, int64_t sum_point) const {
    // Input frame less output frame, and the block's output frames whose input frame exists.
    const int64_t shift = tap - padding_[0];
    const int64_t begin = std::max<int64_t>(0, -shift - block.first_frame);
    const int64_t end = std::min(block.frames, input_.frames - shift - block.first_frame);
    if (begin >= end) return false;
    const int64_t from =
        block.first_frame + begin + shift - input_frames(block, input_, taps_, padding_[0]).begin;
    for (int64_t point = 0; point < kPoints; ++point) {
      tile_product(
          {.a = windows_.get() + point * window_point_ + from * block.frame_rows() * depth_ + first,
           .a_row = 1,
           .a_tap = 0,
           .a_k = depth_,
           .b = gradients_.get() + (panel * kPoints + point) * gradient_point_ +
                begin * block.frame_rows() * panels_.width,
           .b_tap = 0,
           .c = sums + point * sum_point,
           .rows = channels,
           .taps = 1,
           .k = (end - begin) * block.frame_rows(),
           .width = panels_.width,
           .accumulate = false});
    }
    return true;
  }

  void write(int64_t out, float* gw) const {
    float* to = gw + out * taps_ * 9 * input_.channels;
    for (int64_t tap = 0; tap < taps_; ++tap) {
      const float* from = total(tap, out / panels_.width) + out % panels_.width;
      for (int64_t i = 0; i < 9 * input_.channels; ++i) *to++ = from[i * panels_.width];
    }
  }

  Volume input_, output_;
  int64_t taps_;
  Extent padding_;
  const float *x_, *gy_;
  Panels panels_;
  Blocks blocks_;
  int64_t depth_;
  int64_t window_point_, gradient_point_;  // from one point's rows to the next one's
  Scratch windows_, gradients_;            // [point][row][channel], [panel][point][row][lane]
  Scratch total_;                          // [tap][panel][kh kw][channel][lane]
};

}  // namespace

void winograd_weight_gradient(const WinogradConv& conv, const float* x, const float* gy,
                              float* gw) {
  WeightGradient(conv, x, gy).run(gw);
}

}  // namespace avbench::kernels
