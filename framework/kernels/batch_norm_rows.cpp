#include "kernels/batch_norm_rows.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/batch_norm_rows.cpp"
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
constexpr int64_t kLanes = hn::MaxLanes(D());

// All lanes, or the first few of the last vector of a row.
struct Whole {
  HWY_INLINE V load(const float* from) const { return hn::LoadU(d, from); }
  HWY_INLINE void store(V value, float* to) const { hn::StoreU(value, d, to); }
};
struct Part {
  hn::Mask<D> mask;
  HWY_INLINE V load(const float* from) const { return hn::MaskedLoad(mask, d, from); }
  HWY_INLINE void store(V value, float* to) const { hn::BlendedStore(value, mask, d, to); }
};

// call(channel, lanes) for each vector of a row.
template <typename Call>
HWY_INLINE void each_vector(int64_t channels, const Call& call) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) call(c, Whole());
  if (c < channels) call(c, Part{hn::FirstN(d, static_cast<size_t>(channels - c))});
}

// Sum over rows of term(row offset), in four chains that are added at the end.
template <typename Term>
HWY_INLINE V sum_rows(Rows rows, const Term& term) {
  V sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  int64_t r = 0;
  for (; r + 4 <= rows.count; r += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) sums[i] = term((r + i) * rows.channels, sums[i]);
  }
  for (; r < rows.count; ++r) sums[0] = term(r * rows.channels, sums[0]);
  return hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
}

void row_moments(Rows rows, const float* x, float* mean, float* squares) {
  const V share = hn::Set(d, 1.0F / static_cast<float>(rows.count));
  each_vector(rows.channels, [&](int64_t c, auto lanes) {
    const V center = hn::Mul(share, sum_rows(rows, [&](int64_t at, V sum) {
                               return hn::Add(sum, lanes.load(x + at + c));
                             }));
    lanes.store(center, mean + c);
    lanes.store(sum_rows(rows,
                         [&](int64_t at, V sum) {
                           const V deviation = hn::Sub(lanes.load(x + at + c), center);
                           return hn::MulAdd(deviation, deviation, sum);
                         }),
                squares + c);
  });
}

template <bool kResidual, bool kRectify>
HWY_INLINE void normalize(Rows rows, const float* x, const float* mean, const float* scale,
                          const float* shift, const float* residual, float* y) {
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t at = r * rows.channels;
    each_vector(rows.channels, [&](int64_t c, auto lanes) {
      const V deviation = hn::Sub(lanes.load(x + at + c), lanes.load(mean + c));
      V value = hn::MulAdd(deviation, lanes.load(scale + c), lanes.load(shift + c));
      if constexpr (kResidual) value = hn::Add(value, lanes.load(residual + at + c));
      // A NaN stays a NaN.
      if constexpr (kRectify) value = hn::IfThenZeroElse(hn::Lt(value, hn::Zero(d)), value);
      lanes.store(value, y + at + c);
    });
  }
}

void normalize_rows(Rows rows, const float* x, const float* mean, const float* scale,
                    const float* shift, const float* residual, bool rectify, float* y) {
  if (residual != nullptr) {
    rectify ? normalize<true, true>(rows, x, mean, scale, shift, residual, y)
            : normalize<true, false>(rows, x, mean, scale, shift, residual, y);
  } else {
    rectify ? normalize<false, true>(rows, x, mean, scale, shift, nullptr, y)
            : normalize<false, false>(rows, x, mean, scale, shift, nullptr, y);
  }
}

template <bool kRectified, typename Lanes>
HWY_INLINE V gradient_at(const RectifiedGradient& gradient, int64_t at, const Lanes& lanes) {
  const V gy = lanes.load(gradient.gy + at);
  if constexpr (!kRectified) return gy;
  // As in PyTorch, a gradient passes where the output isn't <= 0: a NaN stays a NaN.
  return hn::IfThenZeroElse(hn::Le(lanes.load(gradient.y + at), hn::Zero(d)), gy);
}

template <bool kRectified, bool kThrough>
HWY_INLINE void gradient_sums(Rows rows, const float* x, const RectifiedGradient& gradient,
                              const float* mean, float* sum, float* sum_deviation, float* through) {
  each_vector(rows.channels, [&](int64_t c, auto lanes) {
    const V center = lanes.load(mean + c);
    V sums[2] = {hn::Zero(d), hn::Zero(d)}, deviations[2] = {hn::Zero(d), hn::Zero(d)};
    const auto add = [&](int64_t at, int chain) HWY_ATTR {
      const V g = gradient_at<kRectified>(gradient, at, lanes);
      if constexpr (kThrough) lanes.store(g, through + at);
      sums[chain] = hn::Add(sums[chain], g);
      deviations[chain] = hn::MulAdd(g, hn::Sub(lanes.load(x + at), center), deviations[chain]);
    };
    int64_t r = 0;
    for (; r + 2 <= rows.count; r += 2) {
      add(r * rows.channels + c, 0);
      add((r + 1) * rows.channels + c, 1);
    }
    if (r < rows.count) add(r * rows.channels + c, 0);
    lanes.store(hn::Add(sums[0], sums[1]), sum + c);
    lanes.store(hn::Add(deviations[0], deviations[1]), sum_deviation + c);
  });
}

void row_gradient_sums(Rows rows, const float* x, const RectifiedGradient& gradient,
                       const float* mean, float* sum, float* sum_deviation, float* through) {
  const auto run = [&](auto rectified, auto passes) {
    gradient_sums<rectified, passes>(rows, x, gradient, mean, sum, sum_deviation, through);
  };
  constexpr std::bool_constant<true> yes;
  constexpr std::bool_constant<false> no;
  if (gradient.y != nullptr) {
    through != nullptr ? run(yes, yes) : run(yes, no);
  } else {
    through != nullptr ? run(no, yes) : run(no, no);
  }
}

template <bool kRectified>
HWY_INLINE void input_gradient(Rows rows, const float* x, const RectifiedGradient& gradient,
                               const float* mean, const float* scale, const float* slope,
                               const float* offset, float* gx) {
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t at = r * rows.channels;
    each_vector(rows.channels, [&](int64_t c, auto lanes) {
      const V g = gradient_at<kRectified>(gradient, at + c, lanes);
      const V deviation = hn::Sub(lanes.load(x + at + c), lanes.load(mean + c));
      const V flat = hn::MulAdd(deviation, lanes.load(slope + c), lanes.load(offset + c));
      lanes.store(hn::MulAdd(g, lanes.load(scale + c), flat), gx + at + c);
    });
  }
}

void row_input_gradient(Rows rows, const float* x, const RectifiedGradient& gradient,
                        const float* mean, const float* scale, const float* slope,
                        const float* offset, float* gx) {
  if (gradient.y != nullptr) {
    input_gradient<true>(rows, x, gradient, mean, scale, slope, offset, gx);
  } else {
    input_gradient<false>(rows, x, gradient, mean, scale, slope, offset, gx);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace avbench::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace avbench::kernels {

HWY_EXPORT(row_moments);
HWY_EXPORT(normalize_rows);
HWY_EXPORT(row_gradient_sums);
HWY_EXPORT(row_input_gradient);

void row_moments(Rows rows, const float* x, float* mean, float* squares) {
  HWY_DYNAMIC_DISPATCH(row_moments)(rows, x, mean, squares);
}

void normalize_rows(Rows rows, const float* x, const float* mean, const float* scale,
                    const float* shift, const float* residual, bool rectify, float* y) {
  HWY_DYNAMIC_DISPATCH(normalize_rows)(rows, x, mean, scale, shift, residual, rectify, y);
}

void row_gradient_sums(Rows rows, const float* x, const RectifiedGradient& gradient,
                       const float* mean, float* sum, float* sum_deviation, float* through) {
  HWY_DYNAMIC_DISPATCH(row_gradient_sums)(rows, x, gradient, mean, sum, sum_deviation, through);
}

void row_input_gradient(Rows rows, const float* x, const RectifiedGradient& gradient,
                        const float* mean, const float* scale, const float* slope,
                        const float* offset, float* gx) {
  HWY_DYNAMIC_DISPATCH(row_input_gradient)(rows, x, gradient, mean, scale, slope, offset, gx);
}

}  // namespace avbench::kernels
#endif
