// The inner loop of every convolution here: a tall matrix times a narrow packed one, in registers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace avbench::kernels {

// c[r, 0..width) = (accumulate ? c : 0) + sum over taps t and k of
//     a[r * a_row + t * a_tap + k * a_k] * b[t * b_tap + k * width + 0..width)
// for r < rows. `c` and `b` are rows of `width` floats without gaps, on 64-byte boundaries; `a` may
// lie anywhere. Sums run in the order of (t, k), whatever `rows` is.
struct TileProduct {
  const float* a;
  ptrdiff_t a_row, a_tap, a_k;
  const float* b;
  ptrdiff_t b_tap;
  float* c;
  int64_t rows, taps, k;
  int64_t width;  // from panel_width()
  bool accumulate;
};

void tile_product(const TileProduct& product);

// The widths that tile_product takes are one and two vectors of this CPU: the one that wastes
// least of the last panel when `channels` are cut into panels, the wider one if they tie.
int64_t panel_width(int64_t channels);

// Name of the instruction set in use: "AVX2", "AVX3" (AVX-512), ...
const char* instruction_set();

}  // namespace avbench::kernels
