#include "avbench/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avbench/heads.h"
#include "io/message.h"
#include "sdk/loss_testing.h"

namespace avbench {
namespace {

using testing::HasSubstr;

using PairLoss = std::function<Tensor(const Tensor&, const Tensor&)>;

// Both gradients against central differences, on inputs in general position.
void expect_true_gradients(const PairLoss& loss) {
  const Tensor a = golden_z1().requires_grad_(), b = golden_z2().requires_grad_();
  loss(a, b).backward();
  const auto value = [](const Tensor& x) { return x.item<double>(); };
  const Tensor da =
      numerical_gradient([&](const Tensor& x) { return value(loss(x, b.detach())); }, a);
  const Tensor db =
      numerical_gradient([&](const Tensor& x) { return value(loss(a.detach(), x)); }, b);
  EXPECT_LT(largest_difference(a.grad(), da), 1e-7);
  EXPECT_LT(largest_difference(b.grad(), db), 1e-7);
}

void expect_finite_with_gradients(const PairLoss& loss, const Tensor& left, const Tensor& right) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    const Tensor a = left.detach().to(type).clone().requires_grad_();
    const Tensor b = right.detach().to(type).clone().requires_grad_();
    const Tensor total = loss(a, b);
    total.backward();
    EXPECT_TRUE(std::isfinite(total.item<double>()));
    EXPECT_TRUE(at::isfinite(a.grad()).all().item<bool>());
    EXPECT_TRUE(at::isfinite(b.grad()).all().item<bool>());
  }
}

const PairLoss kContrast = [](const Tensor& a, const Tensor& b) { return nt_xent(a, b, 0.1); };
const PairLoss kAlign = [](const Tensor& a, const Tensor& b) {
  return redundancy_reduction(column_correlation(a, b, true), 0.005);
};
const PairLoss kAlignRaw = [](const Tensor& a, const Tensor& b) {
  return redundancy_reduction(column_correlation(a, b, false), 0.005);
};

TEST(Unit, DividesByTheNorm) {
  const Tensor x = to_tensor({{3, 4}, {0, -2}});
  EXPECT_LT(largest_difference(unit(x), to_tensor({{0.6, 0.8}, {0, -1}})), 1e-15);
  EXPECT_LT(largest_difference(unit(x, 0),
                               to_tensor({{1, 4 / std::sqrt(20.)}, {0, -2 / std::sqrt(20.)}})),
            1e-15);
}

TEST(Unit, LeavesZeroRowsZeroAndAddsNothingToSmallOnes) {
  const Tensor x = to_tensor({{0, 0}, {3e-9, 4e-9}, {3e-13, 4e-13}});
  const Tensor expected = to_tensor({{0, 0}, {0.6, 0.8}, {0.3, 0.4}});
  EXPECT_LT(largest_difference(unit(x), expected), 1e-12);
}

TEST(Unit, NormalisesHalfPrecisionInFloat) {
  const Tensor x = at::zeros({2, 3}, at::kHalf);
  EXPECT_EQ(unit(x).scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(unit(x)).all().item<bool>());
}

TEST(NtXent, EqualsTheFormulaWrittenAsLoops) {
  const Tensor a = golden_z1(), b = golden_z2();
  const Matrix x = to_matrix(a), y = to_matrix(b);
  for (const double temperature : {0.05, 0.1, 0.5, 2.0}) {
    const double expected = naive_contrast(x, y, temperature) + naive_contrast(y, x, temperature);
    EXPECT_NEAR(nt_xent(a, b, temperature, Reduction::kSum).item<double>(), expected, 1e-10);
    EXPECT_NEAR(nt_xent(a, b, temperature).item<double>(), expected / 8, 1e-11);
  }
}

TEST(NtXent, MatchesTwoOrthogonalPairsByHand) {
  // Each anchor: one partner with similarity 1, two others with similarity 0, temperature 1.
  const Tensor axes = to_tensor({{1, 0}, {0, 2}});
  const double e = std::exp(1.0);
  EXPECT_NEAR(nt_xent(axes, 3 * axes, 1).item<double>(), -std::log(e / (e + 2)), 1e-14);
}

TEST(NtXent, OfEqualRowsIsTheLogarithmOfTheCandidates) {
  const Tensor same = at::ones({5, 3}, at::kDouble);
  EXPECT_NEAR(nt_xent(same, same, 0.1).item<double>(), std::log(9.0), 1e-12);
  expect_finite_with_gradients(kContrast, same, same);
}

TEST(NtXent, DoesNotOverflowAtSmallTemperatures) {
  const Tensor a = golden_z1().to(at::kFloat), b = golden_z2().to(at::kFloat);
  EXPECT_TRUE(std::isfinite(nt_xent(a, b, 1e-3).item<double>()));
  EXPECT_TRUE(std::isfinite(nt_xent(a.to(at::kHalf), b.to(at::kHalf), 1e-3).item<double>()));
}

TEST(NtXent, HasTrueGradients) { expect_true_gradients(kContrast); }

TEST(NtXent, SurvivesZeroRows) {
  Tensor a = golden_z1();
  a[1].zero_();
  expect_finite_with_gradients(kContrast, a, golden_z2());
  expect_finite_with_gradients(kContrast, at::zeros_like(a), at::zeros_like(a));
}

TEST(NtXent, DoesNotDependOnTheOrderOfSamples) {
  const Tensor order = at::tensor({2, 0, 3, 1});
  const Tensor a = golden_z1(), b = golden_z2();
  EXPECT_NEAR(nt_xent(a.index_select(0, order), b.index_select(0, order), 0.1).item<double>(),
              nt_xent(a, b, 0.1).item<double>(), 1e-12);
}

TEST(NtXent, RefusesABatchOfOneAndUnequalShapes) {
  const Tensor one = at::ones({1, 3}, at::kDouble);
  EXPECT_THAT(user_error([&] { nt_xent(one, one, 0.1); }), HasSubstr("batch of 1"));
  EXPECT_THROW(nt_xent(golden_z1(), one, 0.1), c10::Error);
  EXPECT_THROW(nt_xent(golden_z1(), golden_z2(), 0), c10::Error);
}

TEST(ColumnCorrelation, MatchesTwoSamplesByHand) {
  // Centred columns of two samples are (d, -d): their correlation is the product of signs.
  const Tensor a = to_tensor({{1, 5}, {3, 1}}), b = to_tensor({{0, 7}, {4, 9}});
  EXPECT_LT(largest_difference(column_correlation(a, b, true), to_tensor({{1, 1}, {-1, -1}})),
            1e-14);
  const Tensor raw = column_correlation(to_tensor({{3}, {4}}), to_tensor({{4}, {3}}), false);
  EXPECT_NEAR(raw.item<double>(), 24.0 / 25.0, 1e-15);
}

TEST(RedundancyReduction, EqualsTheFormulaWrittenAsLoops) {
  const Tensor a = golden_z1(), b = golden_z2();
  for (const bool centred : {true, false}) {
    for (const double lambda : {0.0, 0.005, 1.0}) {
      EXPECT_NEAR(redundancy_reduction(column_correlation(a, b, centred), lambda).item<double>(),
                  naive_redundancy(to_matrix(a), to_matrix(b), lambda, centred), 1e-11);
    }
  }
}

TEST(RedundancyReduction, MatchesTwoByTwoByHand) {
  // (1 - 0.5)^2 + (1 + 1)^2 + 0.1 * (2^2 + 3^2)
  EXPECT_NEAR(redundancy_reduction(to_tensor({{0.5, 2}, {3, -1}}), 0.1).item<double>(), 5.55,
              1e-14);
}

TEST(RedundancyReduction, HasTrueGradients) {
  expect_true_gradients(kAlign);
  expect_true_gradients(kAlignRaw);
}

TEST(RedundancyReduction, SurvivesZeroColumnsAndEqualRows) {
  Tensor a = golden_z1();
  a.select(1, 2).zero_();
  for (const PairLoss& loss : {kAlign, kAlignRaw}) {
    expect_finite_with_gradients(loss, a, golden_z2());
    expect_finite_with_gradients(loss, at::zeros_like(a), at::zeros_like(a));
    expect_finite_with_gradients(loss, at::ones_like(a), golden_z2());
  }
}

TEST(ColumnCorrelation, RefusesABatchOfOne) {
  const Tensor one = at::ones({1, 3}, at::kDouble);
  EXPECT_THAT(user_error([&] { column_correlation(one, one, true); }),
              HasSubstr("expected at least 2 samples"));
}

std::vector<std::string> layer_names(torch::nn::Sequential& layers) {
  std::vector<std::string> names;
  for (const auto& layer : *layers) names.push_back(layer.ptr()->name());
  return names;
}

TEST(Mlp, PutsBatchNormAndReluOnlyBetweenLayers) {
  using testing::ElementsAre;
  auto plain = mlp({4, 8, 2});
  EXPECT_THAT(layer_names(plain),
              ElementsAre(HasSubstr("Linear"), HasSubstr("ReLU"), HasSubstr("Linear")));
  auto normed = mlp({4, 8, 2}, {.batch_norm = true, .output_batch_norm = true, .bias = false});
  EXPECT_THAT(layer_names(normed),
              ElementsAre(HasSubstr("Linear"), HasSubstr("BatchNorm"), HasSubstr("ReLU"),
                          HasSubstr("Linear"), HasSubstr("BatchNorm")));
  EXPECT_EQ(normed->parameters().size(), 4u);  // two weights, the hidden norm's scale and shift
  EXPECT_EQ(normed->forward(at::randn({3, 4})).sizes(), at::IntArrayRef({3, 2}));
  EXPECT_THROW(mlp({4}), c10::Error);
}

}  // namespace
}  // namespace avbench
