#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::HasSubstr;

const Settings kSmall = {{"projector_dim", "6"}};

// The loss by loops: standardised columns, C, and the two sums.
double naive_barlow(const Matrix& a, const Matrix& b, double lambda) {
  const auto standardised = [](const Matrix& rows) {
    Matrix columns = naive_columns(rows, /*centred=*/true);
    for (auto& column : columns) {
      double variance = 0;
      for (const double x : column) variance += x * x / static_cast<double>(column.size());
      for (double& x : column) x /= std::sqrt(variance + 1e-5);
    }
    return columns;
  };
  const Matrix x = standardised(a), y = standardised(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < y.size(); ++j) {
      double c = 0;
      for (size_t n = 0; n < a.size(); ++n) c += x[i][n] * y[j][n] / static_cast<double>(a.size());
      sum += i == j ? (1 - c) * (1 - c) : lambda * c * c;
    }
  }
  return sum;
}

// lightly, solo-learn (0.005) and the official formula (0.0051) at the golden inputs.
TEST(BarlowTwins, MatchesPublishedLossesAndGradients) {
  struct Golden {
    Settings settings;
    double loss, grad_video, grad_audio;
  };
  for (const Golden& golden :
       {Golden{{{"lambda", "0.005"}}, 3.0029259978, 13.2383983509, 14.232470356},
        Golden{{}, 3.004773515, 13.2379451409, 14.2319299931}}) {
    EXPECT_NEAR(total("barlow_twins", golden_z1(), golden_z2(), golden.settings), golden.loss,
                1e-9);
    const auto [video, audio] = gradient_norms("barlow_twins", golden.settings);
    EXPECT_NEAR(video, golden.grad_video, 1e-8);
    EXPECT_NEAR(audio, golden.grad_audio, 1e-8);
  }
}

TEST(BarlowTwins, EqualsTheFormulaWrittenAsLoops) {
  const Matrix v = to_matrix(golden_z1()), a = to_matrix(golden_z2());
  for (const double lambda : {0.0, 0.02, 1.0}) {
    EXPECT_NEAR(total("barlow_twins", golden_z1(), golden_z2(),
                      {{"lambda", std::to_string(lambda)}, {"scale", "2.5"}}),
                2.5 * naive_barlow(v, a, lambda), 1e-10);
  }
}

// Columns are (1, -1) and (-1, 1) times 3, whose biased variance is 9:
// C = [[1, -1], [-1, 1]] * 9 / (9 + 1e-5).
TEST(BarlowTwins, MatchesTwoSamplesByHand) {
  const Tensor x = to_tensor({{6, 0}, {0, 6}});
  const double c = 9 / (9 + 1e-5);
  EXPECT_NEAR(total("barlow_twins", x, x, {{"lambda", "0.5"}}),
              2 * (1 - c) * (1 - c) + 0.5 * 2 * c * c, 1e-13);
}

TEST(BarlowTwins, HasTrueGradients) {
  expect_property("gradient_matches_finite_differences", "barlow_twins");
}

TEST(BarlowTwins, IsFiniteOnZeroColumnsAndEqualRows) {
  for (const Tensor& start : {at::zeros({4, 6}, at::kDouble), at::ones({4, 6}, at::kDouble)}) {
    const Tensor video = start.clone().requires_grad_();
    const Tensor loss = pure_loss("barlow_twins", video, golden_z2()).total;
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), 6, 1e-12);  // nothing correlates: (1 - 0)^2 a column
    EXPECT_TRUE(at::isfinite(video.grad()).all().item<bool>());
  }
}

TEST(BarlowTwins, IsAProperMethod) {
  expect_gradients_everywhere("barlow_twins", kSmall);
  expect_a_proper_method("barlow_twins", {{"projector_dim", "6"}, {"projector_layers", "3"}});
  EXPECT_TRUE(untrained_parameters(*bent_method("barlow_twins", kSmall)).empty());
}

TEST(BarlowTwins, GivesBiasesARateOfTheirOwn) {
  const auto method =
      bent_method("barlow_twins", {{"projector_dim", "6"}, {"bias_lr_scale", "0.024"}});
  const auto groups = method->param_groups(Stage::kPretrain);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].lr_scale, 1);
  EXPECT_EQ(groups[1].lr_scale, 0.024);
  for (const Tensor& parameter : groups[0].parameters) EXPECT_GT(parameter.dim(), 1);
  for (const Tensor& parameter : groups[1].parameters) EXPECT_EQ(parameter.dim(), 1);
  EXPECT_EQ(tensors_in(groups), method->parameters().size());
}

TEST(BarlowTwins, RefusesABatchOfOne) {
  const Tensor one = at::ones({1, 4}, at::kDouble);
  EXPECT_THAT(io::user_error([&] { total("barlow_twins", one, one); }), HasSubstr("at least 2"));
  const auto method = bent_method("barlow_twins", kSmall);
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch_of_step(0, 1)); }),
              HasSubstr("at least 2"));
}

}  // namespace
}  // namespace avbench
