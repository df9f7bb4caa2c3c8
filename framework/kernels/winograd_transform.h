// The three linear maps of Winograd's minimal filtering F(4x4, 3x3), each over a row of tiles:
// Lavin and Gray, arXiv:1509.09308, with the interpolation points 0, +-5/8, +-3/2 and infinity.
// Against the usual 0, +-1, +-2 these lose 2 to 3 times less in float32, and all constants are
// exact.
#pragma once

#include <cstddef>
#include <cstdint>

namespace avbench::kernels {

constexpr int kTileSide = 4;    // outputs of a tile, along height and width
constexpr int kWindowSide = 6;  // inputs that they need
constexpr int kPoints = kWindowSide * kWindowSide;

// One frame in channels-last order: [height, width, channels].
template <typename Number>
struct FrameOf {
  Number* data;
  int64_t height, width, channels;
};
using Frame = FrameOf<const float>;
using OutputFrame = FrameOf<float>;

// Where the transformed tiles go: point p, tile t, channel c at
//     data[p * point + t * tile + (c / panel) * next_panel + c % panel].
// Channels are filled up with zeros to a whole vector.
struct Transformed {
  float* data;
  ptrdiff_t point, tile;
  int64_t panel;
  ptrdiff_t next_panel;
};

// Windows of 6 x 6 pixels, 4 apart, the first at (row, column), which may lie outside: zeros.
// B^T d B.
void transform_windows(const Frame& frame, int64_t row, int64_t column, int64_t tiles,
                       const Transformed& to);

// Tiles of 4 x 4 pixels, the first at (row, 0); what lies outside is zero. The gradient's side of
// the weight gradient, F(3x3, 4x4): G d G^T.
void transform_gradient(const Frame& frame, int64_t row, int64_t tiles, const Transformed& to);

// A^T m A, plus bias where there is one: `tiles` tiles into the pixels at (row, 0); what lies
// outside is dropped. Point p of tile t has `panel` channels at m[p * point + t * panel]; the first
// min(panel, left) of them are written, to frame.data's first.
void transform_outputs(const float* m, ptrdiff_t point, int64_t panel, int64_t left,
                       const float* bias, const OutputFrame& frame, int64_t row, int64_t tiles);

// Nine taps w[tap * tap_step + lane] (tap = kh * 3 + kw) to 36 points u[p * point + lane]: G w G^T.
// There are `lanes` of them, filled up with zeros to `panel`.
void transform_weights(const float* w, ptrdiff_t tap_step, int64_t lanes, int64_t panel, float* u,
                       ptrdiff_t point);

// Sums m[p * point + lane] of F(3x3, 4x4) to nine taps, added to w[tap * tap_step + lane];
// `lanes` is a multiple of a vector.
void transform_weight_sums(const float* m, ptrdiff_t point, int64_t lanes, float* w,
                           ptrdiff_t tap_step);

}  // namespace avbench::kernels
