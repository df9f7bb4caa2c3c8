#include "kernels/winograd_transform.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_transform.cpp"
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
constexpr D d;
constexpr int kLanes = hn::MaxLanes(D());

// The points +-a and +-b.
constexpr float a = 5.0F / 8, b = 3.0F / 2;
constexpr float a2 = a * a, b2 = b * b;

HWY_INLINE V times(float factor, V x) { return hn::Mul(hn::Set(d, factor), x); }
HWY_INLINE V plus(float factor, V x, V y) { return hn::MulAdd(hn::Set(d, factor), x, y); }

// Each map of one dimension reads x[i * step] and writes y[j * step].

// B^T: the polynomials of the five other points, for each point; for infinity that of all.
struct Windows {
  static constexpr int kIn = 6, kOut = 6;
  HWY_INLINE void operator()(const V (&x)[6], V (&y)[6]) const {
    y[0] = plus(a2 * b2, x[0], plus(-(a2 + b2), x[2], x[4]));
    y[5] = plus(a2 * b2, x[1], plus(-(a2 + b2), x[3], x[5]));
    const V even_a = plus(-b2, x[2], x[4]), odd_a = times(a, plus(-b2, x[1], x[3]));
    const V even_b = plus(-a2, x[2], x[4]), odd_b = times(b, plus(-a2, x[1], x[3]));
    y[1] = hn::Add(even_a, odd_a);
    y[2] = hn::Sub(even_a, odd_a);
    y[3] = hn::Add(even_b, odd_b);
    y[4] = hn::Sub(even_b, odd_b);
  }
};

// Values of a polynomial with kIn coefficients at the points, over the product of the distances to
// the other points.
template <int kCount>
struct Values {
  static constexpr int kIn = kCount, kOut = 6;
  HWY_INLINE void operator()(const V (&x)[kIn], V (&y)[6]) const {
    constexpr float f0 = 1 / (a2 * b2), fa = 1 / (2 * a2 * (a2 - b2)),
                    fb = 1 / (2 * b2 * (b2 - a2));
    y[0] = times(f0, x[0]);
    y[5] = x[kIn - 1];
    V even_a = plus(a2, x[2], x[0]), even_b = plus(b2, x[2], x[0]);
    V odd_a = x[1], odd_b = x[1];
    if constexpr (kIn == 4) {
      odd_a = plus(a2, x[3], x[1]);
      odd_b = plus(b2, x[3], x[1]);
    }
    even_a = times(fa, even_a);
    even_b = times(fb, even_b);
    y[1] = plus(fa * a, odd_a, even_a);
    y[2] = plus(-fa * a, odd_a, even_a);
    y[3] = plus(fb * b, odd_b, even_b);
    y[4] = plus(-fb * b, odd_b, even_b);
  }
};

// A^T: kOut powers of the points.
template <int kCount>
struct Powers {
  static constexpr int kIn = 6, kOut = kCount;
  HWY_INLINE void operator()(const V (&x)[6], V (&y)[kOut]) const {
    const V sum_a = hn::Add(x[1], x[2]), difference_a = hn::Sub(x[1], x[2]);
    const V sum_b = hn::Add(x[3], x[4]), difference_b = hn::Sub(x[3], x[4]);
    y[0] = hn::Add(x[0], hn::Add(sum_a, sum_b));
    y[1] = plus(a, difference_a, times(b, difference_b));
    y[2] = plus(a2, sum_a, times(b2, sum_b));
    if constexpr (kOut == 4) {
      y[3] = plus(a2 * a, difference_a, plus(b2 * b, difference_b, x[5]));
    } else {
      y[2] = hn::Add(y[2], x[5]);
    }
  }
};

// The map along both axes. load(row, column) gives a value, store(row, column, value) takes one.
template <typename Map, typename Load, typename Store>
HWY_INLINE void both_axes(const Map& map, const Load& load, const Store& store) {
  V half[Map::kOut][Map::kIn];
  // Not unrolled: 36 addresses at once would be more than the registers hold.
#pragma GCC unroll 1
  for (int column = 0; column < Map::kIn; ++column) {
    V x[Map::kIn], y[Map::kOut];
    for (int row = 0; row < Map::kIn; ++row) x[row] = load(row, column);
    map(x, y);
    for (int row = 0; row < Map::kOut; ++row) half[row][column] = y[row];
  }
#pragma GCC unroll 1
  for (int row = 0; row < Map::kOut; ++row) {
    V y[Map::kOut];
    map(half[row], y);
    for (int column = 0; column < Map::kOut; ++column) store(row, column, y[column]);
  }
}

// One tile of kMap.kIn pixels a side at (row, column), all channels.
template <typename Map>
HWY_INLINE void transform_tile(const Map& map, const Frame& frame, int64_t row, int64_t column,
                               const Transformed& to, float* out) {
  constexpr int kSide = Map::kIn;
  const ptrdiff_t pixel = frame.channels, line = frame.width * pixel;
  const auto side = [](int64_t value) {
    return static_cast<int>(std::clamp<int64_t>(value, 0, kSide));
  };
  // What of the tile lies in the frame.
  const int top = side(-row), bottom = side(frame.height - row);
  const int left_edge = side(-column), right_edge = side(frame.width - column);
  const bool inside = top == 0 && bottom == kSide && left_edge == 0 && right_edge == kSide;
  const float* origin = frame.data + row * line + column * pixel;
  for (int64_t c = 0; c < frame.channels; c += kLanes) {
    float* at = out + c / to.panel * to.next_panel + c % to.panel;
    const auto store = [&](int, int, V value) {  // in the order of the points
      hn::Store(value, d, at);
      at += to.point;
    };
    const int64_t left = frame.channels - c;
    if (inside && left >= kLanes) {
      both_axes(
          map, [&](int i, int j) { return hn::LoadU(d, origin + i * line + j * pixel + c); },
          store);
      continue;
    }
    const auto within = [&](int i, int j) {
      return i >= top && i < bottom && j >= left_edge && j < right_edge;
    };
    if (left >= kLanes) {
      const auto load = [&](int i, int j) {
        return within(i, j) ? hn::LoadU(d, origin + i * line + j * pixel + c) : hn::Zero(d);
      };
      both_axes(map, load, store);
      continue;
    }
    const auto mask = hn::FirstN(d, static_cast<size_t>(left));
    const auto load = [&](int i, int j) {
      return within(i, j) ? hn::MaskedLoad(mask, d, origin + i * line + j * pixel + c)
                          : hn::Zero(d);
    };
    both_axes(map, load, store);
  }
}

void transform_windows(const Frame& frame, int64_t row, int64_t column, int64_t tiles,
                       const Transformed& to) {
  for (int64_t tile = 0; tile < tiles; ++tile) {
    transform_tile(Windows(), frame, row, column + tile * kTileSide, to, to.data + tile * to.tile);
  }
}

void transform_gradient(const Frame& frame, int64_t row, int64_t tiles, const Transformed& to) {
  for (int64_t tile = 0; tile < tiles; ++tile) {
    transform_tile(Values<4>(), frame, row, tile * kTileSide, to, to.data + tile * to.tile);
  }
}

void transform_outputs(const float* m, ptrdiff_t point, int64_t panel, int64_t left,
                       const float* bias, const OutputFrame& frame, int64_t row, int64_t tiles) {
  const ptrdiff_t pixel = frame.channels, line = frame.width * pixel;
  for (int64_t tile = 0; tile < tiles; ++tile, m += panel) {
    const int64_t column = tile * kTileSide;
    const auto rows = static_cast<int>(std::min<int64_t>(kTileSide, frame.height - row));
    const auto columns = static_cast<int>(std::min<int64_t>(kTileSide, frame.width - column));
    float* origin = frame.data + row * line + column * pixel;
    for (int64_t c = 0; c < std::min(panel, left); c += kLanes) {
      const auto load = [&](int i, int j) { return hn::Load(d, m + (i * 6 + j) * point + c); };
      if (left - c >= kLanes) {
        const V shift = bias != nullptr ? hn::LoadU(d, bias + c) : hn::Zero(d);
        both_axes(Powers<4>(), load, [&](int i, int j, V value) {
          if (i < rows && j < columns) {
            hn::StoreU(hn::Add(value, shift), d, origin + i * line + j * pixel + c);
          }
        });
        continue;
      }
      const auto mask = hn::FirstN(d, static_cast<size_t>(left - c));
      const V shift = bias != nullptr ? hn::MaskedLoad(mask, d, bias + c) : hn::Zero(d);
      both_axes(Powers<4>(), load, [&](int i, int j, V value) {
        if (i < rows && j < columns) {
          hn::BlendedStore(hn::Add(value, shift), mask, d, origin + i * line + j * pixel + c);
        }
      });
    }
  }
}

void transform_weights(const float* w, ptrdiff_t tap_step, int64_t lanes, int64_t panel, float* u,
                       ptrdiff_t point) {
  for (int64_t lane = 0; lane < panel; lane += kLanes) {
    const auto mask =
        hn::FirstN(d, static_cast<size_t>(std::clamp<int64_t>(lanes - lane, 0, kLanes)));
    both_axes(
        Values<3>(),
        [&](int i, int j) { return hn::MaskedLoad(mask, d, w + (i * 3 + j) * tap_step + lane); },
        [&](int i, int j, V value) { hn::Store(value, d, u + (i * 6 + j) * point + lane); });
  }
}

void transform_weight_sums(const float* m, ptrdiff_t point, int64_t lanes, float* w,
                           ptrdiff_t tap_step) {
  for (int64_t lane = 0; lane < lanes; lane += kLanes) {
    both_axes(
        Powers<3>(), [&](int i, int j) { return hn::Load(d, m + (i * 6 + j) * point + lane); },
        [&](int i, int j, V value) {
          float* at = w + (i * 3 + j) * tap_step + lane;
          hn::Store(hn::Add(hn::Load(d, at), value), d, at);
        });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace avbench::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avbench::kernels {

HWY_EXPORT(transform_windows);
HWY_EXPORT(transform_gradient);
HWY_EXPORT(transform_outputs);
HWY_EXPORT(transform_weights);
HWY_EXPORT(transform_weight_sums);

void transform_windows(const Frame& frame, int64_t row, int64_t column, int64_t tiles,
                       const Transformed& to) {
  HWY_DYNAMIC_DISPATCH(transform_windows)(frame, row, column, tiles, to);
}

void transform_gradient(const Frame& frame, int64_t row, int64_t tiles, const Transformed& to) {
  HWY_DYNAMIC_DISPATCH(transform_gradient)(frame, row, tiles, to);
}

void transform_outputs(const float* m, ptrdiff_t point, int64_t panel, int64_t left,
                       const float* bias, const OutputFrame& frame, int64_t row, int64_t tiles) {
  HWY_DYNAMIC_DISPATCH(transform_outputs)(m, point, panel, left, bias, frame, row, tiles);
}

void transform_weights(const float* w, ptrdiff_t tap_step, int64_t lanes, int64_t panel, float* u,
                       ptrdiff_t point) {
  HWY_DYNAMIC_DISPATCH(transform_weights)(w, tap_step, lanes, panel, u, point);
}

void transform_weight_sums(const float* m, ptrdiff_t point, int64_t lanes, float* w,
                           ptrdiff_t tap_step) {
  HWY_DYNAMIC_DISPATCH(transform_weight_sums)(m, point, lanes, w, tap_step);
}

}  // namespace avbench::kernels
#endif
