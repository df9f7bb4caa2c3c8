// Own convolution kernels against LibTorch's in float64, for every instruction set.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/conv3d.h"
#include "kernels/switch.h"
#include "kernels/targets.h"
#include "kernels/winograd.h"

namespace avbench::kernels {
namespace {

using at::Tensor;

constexpr auto kLayout = at::MemoryFormat::ChannelsLast3d;

struct Case {
  int64_t batch, in, out, frames, height, width;
  Extent kernel{3, 3, 3}, stride{1, 1, 1}, padding{1, 1, 1};
};

void PrintTo(const Case& c, std::ostream* out) {
  const auto triple = [](const Extent& e) {
    return std::to_string(e[0]) + "x" + std::to_string(e[1]) + "x" + std::to_string(e[2]);
  };
  *out << c.batch << "x" << c.in << "->" << c.out << " " << triple({c.frames, c.height, c.width})
       << " kernel " << triple(c.kernel) << " stride " << triple(c.stride) << " padding "
       << triple(c.padding);
}

// Random tensors of a case and their exact answers. Half of x is zero, as behind a rectifier.
struct Problem {
  explicit Problem(const Case& c)
      : geometry{
            {c.batch, c.frames, c.height, c.width, c.in}, c.out, c.kernel, c.stride, c.padding} {
    at::manual_seed(0);
    x = at::randn({c.batch, c.in, c.frames, c.height, c.width}).relu_().contiguous(kLayout);
    w = at::rand({c.out, c.in, c.kernel[0], c.kernel[1], c.kernel[2]})
            .sub_(0.5)
            .contiguous(kLayout);
    bias = at::randn({c.out});
    const Tensor x64 = x.to(at::kDouble).contiguous(), w64 = w.to(at::kDouble).contiguous();
    y = at::conv3d(x64, w64, bias.to(at::kDouble), c.stride, c.padding);
    gy = at::randn(y.sizes(), at::kFloat).contiguous(kLayout);
    std::tie(gx, gw, std::ignore) =
        at::convolution_backward(gy.to(at::kDouble).contiguous(), x64, w64, std::nullopt, c.stride,
                                 c.padding, {1, 1, 1}, false, {0, 0, 0}, 1, {true, true, false});
  }

  ConvGeometry geometry;
  Tensor x, w, bias, gy;
  Tensor y, gx, gw;  // float64
};

Tensor poisoned(const Tensor& like) {
  return at::full_like(like, std::numeric_limits<float>::quiet_NaN(),
                       at::TensorOptions().dtype(at::kFloat).memory_format(kLayout));
}

// A NaN that was left makes the error a NaN, which no bound admits.
double error(const Tensor& got, const Tensor& exact) {
  return ((got.to(at::kDouble) - exact).norm() / exact.norm().clamp_min(1e-30)).item<double>();
}

// Relative L2, of one layer.
constexpr double kDirectBound = 1e-6, kWinogradBound = 4e-6;

class ConvolutionTest : public testing::TestWithParam<int64_t> {
 protected:
  TargetScope scope_{GetParam()};
};

Tensor direct(const Problem& p) {
  Tensor gw = poisoned(p.gw);
  weight_gradient(p.geometry, p.x.const_data_ptr<float>(), p.gy.const_data_ptr<float>(),
                  gw.mutable_data_ptr<float>());
  return gw;
}

struct Passes {
  Tensor y, gx, gw;
};
Passes winograd(const Problem& p) {
  const WinogradConv conv{p.geometry.input, p.geometry.out_channels, p.geometry.kernel[0],
                          p.geometry.padding};
  Passes passes{poisoned(p.y), poisoned(p.gx), poisoned(p.gw)};
  const auto *x = p.x.const_data_ptr<float>(), *w = p.w.const_data_ptr<float>(),
             *gy = p.gy.const_data_ptr<float>();
  winograd_forward(conv, x, w, p.bias.const_data_ptr<float>(), passes.y.mutable_data_ptr<float>());
  winograd_input_gradient(conv, gy, w, passes.gx.mutable_data_ptr<float>());
  winograd_weight_gradient(conv, x, gy, passes.gw.mutable_data_ptr<float>());
  return passes;
}

// Bits, not values.
bool same(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

constexpr Extent kOne{1, 1, 1}, kTwo{2, 2, 2}, kNone{0, 0, 0}, kThree{3, 3, 3};

const std::vector<Case> kStride1 = {
    {1, 1, 1, 1, 1, 1},
    {1, 1, 2, 1, 1, 9},
    {1, 2, 1, 9, 1, 1},
    {2, 3, 5, 3, 9, 6},
    {1, 16, 16, 2, 4, 4},
    {3, 17, 33, 5, 7, 13},
    {2, 8, 515, 2, 5, 6},
    {1, 515, 8, 3, 6, 5},
    {5, 31, 48, 1, 8, 8},
    {1, 4, 7, 70, 9, 9},     // blocks cut in time
    {1, 16, 16, 1, 90, 70},  // and in rows of tiles
    {17, 20, 24, 2, 3, 3},   // and in samples
    {2, 9, 10, 4, 10, 11, {1, 3, 3}, kOne, {0, 1, 1}},
    {2, 9, 10, 5, 10, 11, {1, 3, 3}, kOne, {0, 0, 2}},
    {2, 6, 18, 6, 8, 9, {5, 3, 3}, kOne, {2, 1, 0}},
    {2, 6, 18, 2, 8, 9, {5, 3, 3}, kOne, {4, 2, 1}},
    {1, 6, 18, 4, 9, 8, kThree, kOne, {0, 1, 1}},
};

const std::vector<Case> kOthers = {
    {1, 3, 16, 4, 20, 20, {3, 7, 7}, {1, 2, 2}, {1, 3, 3}},
    {2, 1, 8, 1, 16, 17, {3, 7, 7}, {1, 2, 2}, {1, 3, 3}},
    {2, 16, 32, 5, 9, 8, kThree, kTwo, kOne},
    {2, 17, 45, 4, 7, 7, kThree, kTwo, kOne},
    {3, 24, 40, 5, 6, 7, kOne, kTwo, kNone},
    {2, 45, 64, 6, 5, 5, {3, 1, 1}, kOne, {1, 0, 0}},
    {2, 45, 64, 6, 5, 5, {3, 1, 1}, {2, 1, 1}, {1, 0, 0}},
    {1, 515, 9, 2, 4, 4, kThree, kTwo, kOne},
    {2, 4, 6, 1, 1, 1, kThree, kTwo, kOne},
    {2, 4, 6, 2, 1, 9, kThree, kTwo, kOne},
    {2, 4, 6, 2, 2, 2, {5, 5, 5}, {3, 3, 3}, {2, 2, 2}},
    {1, 9, 515, 1, 4, 4, kThree, kTwo, kOne},
    {3, 5, 6, 9, 70, 3, kThree, {1, 2, 1}, kOne},
    {2, 4, 6, 3, 3, 300, kThree, {2, 1, 3}, {1, 1, 2}},
};

std::string describe(const Case& c) {
  std::ostringstream text;
  PrintTo(c, &text);
  return text.str();
}

TEST_P(ConvolutionTest, DirectWeightGradientIsThatOfFloat64) {
  for (const auto* cases : {&kStride1, &kOthers}) {
    for (const Case& c : *cases) {
      const Problem problem(c);
      EXPECT_LT(error(direct(problem), problem.gw), kDirectBound) << describe(c);
    }
  }
}

TEST_P(ConvolutionTest, WinogradsPassesAreThoseOfFloat64) {
  for (const Case& c : kStride1) {
    const Problem problem(c);
    const Passes got = winograd(problem);
    EXPECT_LT(error(got.y, problem.y), kWinogradBound) << describe(c);
    EXPECT_LT(error(got.gx, problem.gx), kWinogradBound) << describe(c);
    EXPECT_LT(error(got.gw, problem.gw), kWinogradBound) << describe(c);
  }
}

TEST_P(ConvolutionTest, BitsDoNotDependOnTheThreads) {
  const int before = at::get_num_threads();
  for (const Case& c : kStride1) {
    const Problem problem(c);
    at::set_num_threads(1);
    const Passes one = winograd(problem);
    const Tensor one_direct = direct(problem);
    for (const int threads : {2, 3, 7}) {
      at::set_num_threads(threads);
      const Passes many = winograd(problem);
      EXPECT_TRUE(same(many.y, one.y)) << threads << " threads, " << describe(c);
      EXPECT_TRUE(same(many.gx, one.gx)) << threads << " threads, " << describe(c);
      EXPECT_TRUE(same(many.gw, one.gw)) << threads << " threads, " << describe(c);
      EXPECT_TRUE(same(direct(problem), one_direct)) << threads << " threads, " << describe(c);
    }
  }
  at::set_num_threads(before);
}

INSTANTIATE_TEST_SUITE_P(Targets, ConvolutionTest, testing::ValuesIn(targets()), target_name);

// ---- as an operator with a gradient -------------------------------------------------------------

Tensor leaf(const Tensor& t) { return t.detach().clone().requires_grad_(true); }

struct Gradients {
  Tensor y, x, w, bias;
};

Gradients run(const Problem& p, at::ScalarType type, const Tensor& gy) {
  const Tensor x = leaf(p.x.to(type)), w = leaf(p.w.to(type)), bias = leaf(p.bias.to(type));
  const Tensor y = conv3d(x, w, bias, p.geometry.stride, p.geometry.padding);
  const auto g = torch::autograd::grad({y}, {x, w, bias}, {gy.to(type)});
  return {y.detach(), g[0], g[1], g[2]};
}

TEST(Conv3d, AllGradientsAreThoseOfFloat64) {
  for (const Case& c : {Case{4, 16, 24, 4, 13, 14}, Case{4, 8, 16, 4, 9, 9, kThree, kTwo, kOne},
                        Case{2, 16, 24, 1, 13, 14}, Case{2, 3, 24, 3, 13, 14}}) {
    const Problem p(c);
    const Gradients got = run(p, at::kFloat, p.gy), exact = run(p, at::kDouble, p.gy);
    EXPECT_LT(error(got.y, exact.y), kWinogradBound);
    EXPECT_LT(error(got.x, exact.x), kWinogradBound);
    EXPECT_LT(error(got.w, exact.w), kWinogradBound);
    EXPECT_LT(error(got.bias, exact.bias), kWinogradBound);
  }
}

TEST(Conv3d, TakesGradientsAndInputsOfAnyLayout) {
  const Problem p(Case{3, 8, 16, 4, 13, 14});
  const Tensor x = leaf(p.x.contiguous()), w = leaf(p.w.contiguous());
  const Tensor y = conv3d(x, w, {}, kOne, kOne);
  // The gradient of a mean has strides of zero.
  const auto g = torch::autograd::grad({y.mean()}, {x, w});
  const Tensor x64 = leaf(p.x.to(at::kDouble)), w64 = leaf(p.w.to(at::kDouble));
  const auto exact =
      torch::autograd::grad({at::conv3d(x64, w64, {}, kOne, kOne).mean()}, {x64, w64});
  EXPECT_LT(error(g[0], exact[0]), kWinogradBound);
  EXPECT_LT(error(g[1], exact[1]), kWinogradBound);
}

TEST(Conv3d, TapsThatOnlyMeetPaddingGetAGradientOfZero) {
  const Problem p(Case{2, 8, 16, 1, 13, 14});
  const Gradients got = run(p, at::kFloat, p.gy);
  EXPECT_EQ(got.w.sizes(), p.w.sizes());
  EXPECT_EQ(got.w.select(2, 0).abs().max().item<float>(), 0);
  EXPECT_EQ(got.w.select(2, 2).abs().max().item<float>(), 0);
  EXPECT_GT(got.w.select(2, 1).abs().max().item<float>(), 0);
  EXPECT_LT(error(got.y, p.y), kWinogradBound);
}

TEST(Conv3d, ComputesOnlyTheGradientsThatAreAskedFor) {
  const Problem p(Case{2, 8, 16, 2, 9, 9});
  const Tensor w = leaf(p.w);
  const Tensor y = conv3d(p.x, w, {}, kOne, kOne);
  y.sum().backward();
  EXPECT_TRUE(w.grad().defined());
  EXPECT_FALSE(p.x.grad().defined());
}

TEST(Conv3d, SwitchedOffItIsLibTorchsBitForBit) {
  const Problem p(Case{4, 16, 24, 4, 13, 14});
  set_enabled(false);
  const Gradients got = run(p, at::kFloat, p.gy);
  set_enabled(true);
  const Tensor x = leaf(p.x), w = leaf(p.w), bias = leaf(p.bias);
  const Tensor y = at::conv3d(x, w, bias, kOne, kOne);
  const auto g = torch::autograd::grad({y}, {x, w, bias}, {p.gy});
  EXPECT_TRUE(at::equal(got.y, y));
  EXPECT_TRUE(at::equal(got.x, g[0]));
  EXPECT_TRUE(at::equal(got.w, g[1]));
  EXPECT_TRUE(at::equal(got.bias, g[2]));
  EXPECT_FALSE(at::equal(run(p, at::kFloat, p.gy).y, y)) << "the switch does nothing";
}

TEST(Conv3d, RefusesWhatLibTorchRefuses) {
  const Tensor x = at::rand({2, 8, 3, 9, 9}), w = at::rand({16, 8, 3, 3, 3});
  EXPECT_THROW(conv3d(x, at::rand({16, 9, 3, 3, 3}), {}, kOne, kOne), c10::Error) << "channels";
  EXPECT_THROW(conv3d(x[0][0], w, {}, kOne, kOne), c10::Error) << "dimensions";
  EXPECT_THROW(conv3d(x, w, at::rand({15}), kOne, kOne), c10::Error) << "bias";
  EXPECT_THROW(conv3d(x, w, {}, {0, 1, 1}, kOne), c10::Error) << "stride";
  // (4 - 5) / 2 is zero in whole numbers: not a single frame, but none.
  EXPECT_THROW(conv3d(at::rand({2, 8, 2, 9, 9}), at::rand({16, 8, 5, 3, 3}), {}, {2, 1, 1}, kOne),
               c10::Error)
      << "a kernel longer than the padded input";
  EXPECT_THROW(conv3d(at::rand({2, 8, 3, 9, 1}), at::rand({16, 8, 3, 3, 5}), {}, kOne, kOne),
               c10::Error)
      << "a kernel wider than the padded input";
}

TEST(Conv3d, OfNoSamplesGivesNoOutputs) {
  const Tensor y = conv3d(at::rand({0, 8, 3, 9, 9}), at::rand({16, 8, 3, 3, 3}), {}, kOne, kOne);
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{0, 16, 3, 9, 9}));
}

TEST(Conv3d, ANotANumberIsNeverHidden) {
  const Problem p(Case{4, 16, 24, 4, 13, 14});
  Tensor x = p.x.clone();
  x[1][3][2][5][5] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = conv3d(x, p.w, {}, kOne, kOne);
  EXPECT_TRUE(y[1].isnan().any().item<bool>());
  EXPECT_FALSE(y[0].isnan().any().item<bool>());
}

}  // namespace
}  // namespace avbench::kernels
