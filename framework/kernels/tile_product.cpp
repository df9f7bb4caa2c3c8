#include "kernels/tile_product.h"

#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tile_product.cpp"
#include "kernels/targets.h"
// After targets.h.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace avbench::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

constexpr int kLanes = hn::MaxLanes(D());
// Accumulators take the registers but those of one row of b and one broadcast.
constexpr int kRegisters = kLanes == 16 ? 32 : 16;
template <int kVectors>
constexpr int kRows = (kRegisters - kVectors - 1) / kVectors;

template <int kRowCount, int kVectors, bool kUnitRow>
HWY_INLINE void rows_product(const TileProduct& p, const float* HWY_RESTRICT a,
                             float* HWY_RESTRICT c) {
  const D d;
  // Four rows a pointer: as many as one register and its multiples reach.
  constexpr int kGroups = kUnitRow ? 1 : (kRowCount + 3) / 4;
  const ptrdiff_t row_step = kUnitRow ? 1 : p.a_row;
  V sums[kRowCount][kVectors];
#pragma GCC unroll 32
  for (int r = 0; r < kRowCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = p.accumulate ? hn::Load(d, c + (r * kVectors + v) * kLanes) : hn::Zero(d);
    }
  }
  for (int64_t tap = 0; tap < p.taps; ++tap) {
    const float* at[kGroups];
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) at[g] = a + tap * p.a_tap + 4 * g * row_step;
    const float* HWY_RESTRICT b = p.b + tap * p.b_tap;
    for (int64_t k = 0; k < p.k; ++k, b += kVectors * kLanes) {
      V row[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) row[v] = hn::Load(d, b + v * kLanes);
#pragma GCC unroll 32
      for (int r = 0; r < kRowCount; ++r) {
        const V factor = hn::Set(d, kUnitRow ? at[0][r] : at[r / 4][r % 4 * row_step]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(factor, row[v], sums[r][v]);
      }
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) at[g] += p.a_k;
    }
  }
#pragma GCC unroll 32
  for (int r = 0; r < kRowCount; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      hn::Store(sums[r][v], d, c + (r * kVectors + v) * kLanes);
    }
  }
}

template <int kVectors, bool kUnitRow, int... kCounts>
HWY_INLINE void remaining_rows(const TileProduct& p, const float* a, float* c, int64_t rows,
                               std::integer_sequence<int, kCounts...>) {
  (void)((rows == kCounts + 1 && (rows_product<kCounts + 1, kVectors, kUnitRow>(p, a, c), true)) ||
         ...);
}

template <int kVectors, bool kUnitRow>
void product(const TileProduct& p) {
  constexpr int kStep = kRows<kVectors>;
  const float* a = p.a;
  float* c = p.c;
  int64_t rows = p.rows;
  for (; rows >= kStep; rows -= kStep) {
    rows_product<kStep, kVectors, kUnitRow>(p, a, c);
    a += kStep * p.a_row;
    c += kStep * kVectors * kLanes;
  }
  remaining_rows<kVectors, kUnitRow>(p, a, c, rows, std::make_integer_sequence<int, kStep - 1>());
}

void tile_product(const TileProduct& p) {
  const bool narrow = p.width == kLanes;
  if (p.a_row == 1) {
    narrow ? product<1, true>(p) : product<2, true>(p);
  } else {
    narrow ? product<1, false>(p) : product<2, false>(p);
  }
}

int64_t lanes() { return kLanes; }

const char* name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace avbench::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avbench::kernels {

HWY_EXPORT(tile_product);
HWY_EXPORT(lanes);
HWY_EXPORT(name);

void tile_product(const TileProduct& product) { HWY_DYNAMIC_DISPATCH(tile_product)(product); }

int64_t panel_width(int64_t channels) {
  const int64_t lanes = HWY_DYNAMIC_DISPATCH(lanes)();
  const auto padded = [&](int64_t width) { return (channels + width - 1) / width * width; };
  return padded(2 * lanes) == padded(lanes) ? 2 * lanes : lanes;
}

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(name)(); }

}  // namespace avbench::kernels
#endif
