// The fused batch norm against ATen's operators in float64, for every instruction set.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <string>
#include <vector>

#include "kernels/norm.h"
#include "kernels/switch.h"
#include "kernels/targets.h"

namespace avbench::kernels {
namespace {

using at::Tensor;

struct Case {
  std::vector<int64_t> shape;
  double mean = 0.5;  // of the input, whose deviation is 1
};

struct Answer {
  Tensor y, x, weight, bias, residual;  // the output, then gradients
  Tensor running_mean, running_var;
};

double error(const Tensor& got, const Tensor& exact) {
  return ((got.to(at::kDouble) - exact).norm() / exact.norm().clamp_min(1e-30)).item<double>();
}

Tensor leaf(const Tensor& t, at::ScalarType type) {
  return t.detach().to(type).clone().requires_grad_(true);
}

struct Problem {
  Problem(const Case& c, bool residual_, bool rectify_) : residual(residual_), rectify(rectify_) {
    at::manual_seed(0);
    const auto tensor = [&] {
      return at::randn(c.shape).contiguous(at::MemoryFormat::ChannelsLast3d);
    };
    x = tensor() + c.mean;
    added = tensor();
    gy = tensor();
    weight = at::rand({c.shape[1]}) + 0.5;
    bias = at::randn({c.shape[1]});
  }

  Answer run(at::ScalarType type, bool own) const {
    const Tensor input = leaf(x, type), w = leaf(weight, type), b = leaf(bias, type),
                 r = leaf(added, type);
    Answer answer;
    answer.running_mean = at::full({weight.size(0)}, 3.0, type);
    answer.running_var = at::full({weight.size(0)}, 2.0, type);
    if (own) {
      answer.y = batch_norm(input,
                            {.weight = w,
                             .bias = b,
                             .running_mean = answer.running_mean,
                             .running_var = answer.running_var,
                             .training = true,
                             .momentum = 0.1,
                             .epsilon = 1e-5},
                            residual ? r : Tensor(), rectify);
    } else {
      answer.y = at::batch_norm(input, w, b, answer.running_mean, answer.running_var, true, 0.1,
                                1e-5, false);
      if (residual) answer.y = answer.y + r;
      if (rectify) answer.y = answer.y.relu();
    }
    std::vector<Tensor> leaves{input, w, b};
    if (residual) leaves.push_back(r);
    const auto g = torch::autograd::grad({answer.y}, leaves, {gy.to(type)});
    answer.y = answer.y.detach();
    answer.x = g[0];
    answer.weight = g[1];
    answer.bias = g[2];
    if (residual) answer.residual = g[3];
    return answer;
  }

  bool residual, rectify;
  Tensor x, added, gy, weight, bias;
};

class BatchNormTest : public testing::TestWithParam<int64_t> {
 protected:
  TargetScope scope_{GetParam()};
};

const std::vector<Case> kCases = {
    {{1, 1, 1, 1, 3}},   {{2, 3, 1, 5, 7}},    {{4, 16, 3, 9, 9}},       {{1, 45, 2, 3, 5}},
    {{3, 515, 1, 2, 2}}, {{8, 17, 4, 20, 21}}, {{2, 6, 4, 8, 8}, 100.0},
};

// Calls with each case, with and without a residual and a rectifier.
template <typename Check>
void each_problem(const Check& check) {
  for (const Case& c : kCases) {
    for (const bool residual : {false, true}) {
      for (const bool rectify : {false, true}) {
        SCOPED_TRACE(testing::Message() << "shape " << at::IntArrayRef(c.shape) << ", residual "
                                        << residual << ", rectified " << rectify);
        check(Problem(c, residual, rectify), c.mean);
      }
    }
  }
}

TEST_P(BatchNormTest, OutputGradientsAndStatisticsAreThoseOfFloat64) {
  each_problem([](const Problem& problem, double mean) {
    const Answer got = problem.run(at::kFloat, true), exact = problem.run(at::kDouble, false);
    // x itself is rounded, by more where its mean is large.
    const double bound = 2e-6 * std::max(1.0, mean / 4);
    EXPECT_LT(error(got.y, exact.y), bound);
    EXPECT_LT(error(got.x, exact.x), bound);
    EXPECT_LT(error(got.weight, exact.weight), bound);
    EXPECT_LT(error(got.bias, exact.bias), bound);
    if (problem.residual) {
      EXPECT_LT(error(got.residual, exact.residual), bound);
    }
    EXPECT_LT(error(got.running_mean, exact.running_mean), 1e-6);
    EXPECT_LT(error(got.running_var, exact.running_var), 1e-6);
  });
}

TEST_P(BatchNormTest, BitsDoNotDependOnTheThreads) {
  const int before = at::get_num_threads();
  each_problem([](const Problem& problem, double) {
    at::set_num_threads(1);
    const Answer one = problem.run(at::kFloat, true);
    for (const int threads : {2, 5}) {
      at::set_num_threads(threads);
      const Answer many = problem.run(at::kFloat, true);
      EXPECT_TRUE(at::equal(many.y, one.y)) << threads;
      EXPECT_TRUE(at::equal(many.x, one.x)) << threads;
      EXPECT_TRUE(at::equal(many.weight, one.weight)) << threads;
      EXPECT_TRUE(at::equal(many.running_var, one.running_var)) << threads;
    }
  });
  at::set_num_threads(before);
}

INSTANTIATE_TEST_SUITE_P(Targets, BatchNormTest, testing::ValuesIn(targets()), target_name);

NormState state_of(const Problem& p, bool training) {
  return {.weight = p.weight,
          .bias = p.bias,
          .running_mean = at::full_like(p.weight, 0.3),
          .running_var = at::full_like(p.weight, 1.7),
          .training = training,
          .momentum = training ? 0.1 : 0,
          .epsilon = 1e-5};
}

TEST(BatchNorm, EvaluationUsesTheRunningStatisticsAndLeavesThem) {
  const Problem p({{4, 16, 3, 9, 9}}, true, true);
  const at::NoGradGuard no_grad;
  const NormState state = state_of(p, false);
  const Tensor got = batch_norm(p.x, state, p.added, true);
  const auto d = [](const Tensor& t) { return t.to(at::kDouble); };
  const Tensor exact = (at::batch_norm(d(p.x), d(p.weight), d(p.bias), d(state.running_mean),
                                       d(state.running_var), false, 0, 1e-5, false) +
                        d(p.added))
                           .relu();
  EXPECT_LT(error(got, exact), 1e-6);
  EXPECT_EQ(state.running_mean[0].item<float>(), 0.3F);
  EXPECT_EQ(state.running_var[0].item<float>(), 1.7F);
}

TEST(BatchNorm, ANotANumberPassesTheRectifier) {
  Problem p({{2, 16, 2, 5, 5}}, false, true);
  p.x[1][3][0][2][2] = std::numeric_limits<float>::quiet_NaN();
  const Answer got = p.run(at::kFloat, true);
  EXPECT_TRUE(got.y.select(1, 3).isnan().all().item<bool>());
  EXPECT_FALSE(got.y.select(1, 4).isnan().any().item<bool>());
  EXPECT_TRUE(got.x.select(1, 3).isnan().all().item<bool>());
}

TEST(BatchNorm, RefusesWhatLibTorchRefusesAndAddsWhatItAdds) {
  const Problem p({{4, 16, 3, 9, 9}}, false, false);
  for (const bool training : {true, false}) {
    const at::NoGradGuard no_grad;
    NormState narrow = state_of(p, training);
    narrow.running_mean = at::zeros({8});
    EXPECT_THROW(batch_norm(p.x, narrow, {}, true), c10::Error);
    const NormState state = state_of(p, training);
    EXPECT_THROW(batch_norm(p.x, state, at::rand({4, 16, 2, 9, 9}), true), c10::Error);
    const Tensor one = at::full({1}, 0.5F);
    const Tensor got = batch_norm(p.x, state_of(p, training), one, false);
    const Tensor whole = batch_norm(p.x, state_of(p, training), one.expand_as(p.x), false);
    EXPECT_LT(error(got, whole), 1e-6);
  }
}

TEST(BatchNorm, SwitchedOffItIsLibTorchsBitForBit) {
  const Problem p({{4, 16, 3, 9, 9}}, true, true);
  set_enabled(false);
  const Answer got = p.run(at::kFloat, true);
  set_enabled(true);
  const Answer library = p.run(at::kFloat, false);
  EXPECT_TRUE(at::equal(got.y, library.y));
  EXPECT_TRUE(at::equal(got.x, library.x));
  EXPECT_TRUE(at::equal(got.running_var, library.running_var));
}

}  // namespace
}  // namespace avbench::kernels
