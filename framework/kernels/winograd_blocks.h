// How Winograd's convolutions cut their work into blocks.
#pragma once

#include <algorithm>

#include "kernels/tile_product.h"
#include "kernels/volume.h"
#include "kernels/winograd.h"
#include "kernels/winograd_transform.h"

namespace avbench::kernels {

// Keeps the 36 rows of a transformed block from falling into the same lines of the first cache.
constexpr int64_t kSkew = 32;

inline int64_t parts_of(int64_t whole, int64_t part) { return (whole + part - 1) / part; }
inline int64_t tiles_over(int64_t extent) { return parts_of(extent, kTileSide); }
inline int64_t tiles_of(const Volume& v) {
  return v.batch * v.frames * tiles_over(v.height) * tiles_over(v.width);
}

// Channels cut into panels of one width.
struct Panels {
  explicit Panels(int64_t channels_)
      : channels(channels_), width(panel_width(channels_)), count(parts_of(channels_, width)) {}
  int64_t channels, width, count;
};

// Channels of a row of windows: filled up to a vector.
inline int64_t window_depth(int64_t channels) { return parts_of(channels, 16) * 16; }

// Some samples, output frames and rows of tiles. Rows of a block's matrices are (frame, sample,
// tile), so that a tap in time is a shift by frame_rows().
struct Block {
  int64_t first_sample, samples, first_frame, frames, first_tile_row, tile_rows, tiles_across;

  int64_t frame_rows() const { return samples * tile_rows * tiles_across; }
};

// All blocks of an output, of about `wanted` rows each.
class Blocks {
 public:
  Blocks(const Volume& output, int64_t wanted)
      : output_(output), down_(tiles_over(output.height)), across_(tiles_over(output.width)) {
    samples_ = std::clamp<int64_t>(wanted / (output.frames * down_ * across_), 1, output.batch);
    tile_rows_ = std::clamp<int64_t>(wanted / (output.frames * across_), 1, down_);
    frames_ = std::clamp<int64_t>(wanted / (tile_rows_ * across_), 1, output.frames);
    // Frames at a cut are transformed twice.
    if (frames_ * 2 > output.frames) frames_ = output.frames;
  }

  int64_t count() const {
    return parts_of(output_.batch, samples_) * parts_of(output_.frames, frames_) *
           parts_of(down_, tile_rows_);
  }

  Block operator[](int64_t index) const {
    const int64_t row = index % parts_of(down_, tile_rows_) * tile_rows_;
    index /= parts_of(down_, tile_rows_);
    const int64_t frame = index % parts_of(output_.frames, frames_) * frames_;
    const int64_t sample = index / parts_of(output_.frames, frames_) * samples_;
    return {.first_sample = sample,
            .samples = std::min(samples_, output_.batch - sample),
            .first_frame = frame,
            .frames = std::min(frames_, output_.frames - frame),
            .first_tile_row = row,
            .tile_rows = std::min(tile_rows_, down_ - row),
            .tiles_across = across_};
  }

  // The output frames of a block, and the input frames that they need.
  int64_t output_rows() const { return frames_ * samples_ * tile_rows_ * across_; }
  int64_t input_rows(int64_t taps) const {
    return (frames_ + taps - 1) * samples_ * tile_rows_ * across_;
  }

 private:
  Volume output_;
  int64_t down_, across_;
  int64_t samples_, tile_rows_, frames_;
};

// Frames [begin, end) of the input.
struct FrameRange {
  int64_t begin, end;
};
inline FrameRange input_frames(const Block& block, const Volume& input, int64_t taps,
                               int64_t padding) {
  return {std::max<int64_t>(0, block.first_frame - padding),
          std::min(input.frames, block.first_frame + block.frames - padding + taps - 1)};
}

// call(frame of the volume's data, first row of tiles) for each sample's row of tiles of a block at
// one frame, in the order of the block's rows.
template <typename Call>
void each_tile_row(const Block& block, const Volume& volume, int64_t frame, const Call& call) {
  for (int64_t sample = 0; sample < block.samples; ++sample) {
    const int64_t index = (block.first_sample + sample) * volume.frames + frame;
    for (int64_t row = 0; row < block.tile_rows; ++row) {
      call(index * volume.frame_size(), (block.first_tile_row + row) * kTileSide);
    }
  }
}

// The windows of one input frame of a block, one row a tile.
inline void transform_frame(const Block& block, const Volume& input, const float* x, int64_t frame,
                            const Extent& padding, Transformed to) {
  each_tile_row(block, input, frame, [&](int64_t offset, int64_t row) {
    transform_windows({x + offset, input.height, input.width, input.channels}, row - padding[1],
                      -padding[2], block.tiles_across, to);
    to.data += block.tiles_across * to.tile;
  });
}

}  // namespace avbench::kernels
