#include "avbench/losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

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

TEST(L2Normalize, DividesByTheNorm) {
  const Tensor x = to_tensor({{3, 4}, {0, -2}});
  EXPECT_LT(largest_difference(l2_normalize(x), to_tensor({{0.6, 0.8}, {0, -1}})), 1e-15);
  EXPECT_LT(largest_difference(l2_normalize(x, 0),
                               to_tensor({{1, 4 / std::sqrt(20.)}, {0, -2 / std::sqrt(20.)}})),
            1e-15);
}

TEST(L2Normalize, LeavesZeroRowsZeroAndAddsNothingToSmallOnes) {
  const Tensor x = to_tensor({{0, 0}, {3e-9, 4e-9}, {3e-13, 4e-13}});
  const Tensor expected = to_tensor({{0, 0}, {0.6, 0.8}, {0.3, 0.4}});
  EXPECT_LT(largest_difference(l2_normalize(x), expected), 1e-12);
}

TEST(L2Normalize, NormalisesHalfPrecisionInFloat) {
  const Tensor x = at::zeros({2, 3}, at::kHalf);
  EXPECT_EQ(l2_normalize(x).scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(l2_normalize(x)).all().item<bool>());
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
  EXPECT_THAT(io::user_error([&] { nt_xent(one, one, 0.1); }), HasSubstr("batch of 1"));
  EXPECT_THROW(nt_xent(golden_z1(), one, 0.1), c10::Error);
  EXPECT_THROW(nt_xent(golden_z1(), golden_z2(), 0), c10::Error);
}

TEST(RowCosines, EqualTheFormulaWrittenAsLoops) {
  const Matrix a = to_matrix(golden_z1()), b = to_matrix(golden_z2());
  const Tensor cosines = row_cosines(golden_z1(), golden_z2());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(cosines[static_cast<int64_t>(i)].item<double>(), naive_cosine(a[i], b[i]), 1e-14);
  }
  EXPECT_THROW(row_cosines(golden_z1(), golden_z2().slice(1, 0, 3)), c10::Error);
}

TEST(FirstColumnEntropy, MatchesTwoRowsByHand) {
  // Logits (0, log 3) and (log 4, 0) at temperature 1: -log(1/4) and -log(4/5).
  const Tensor logits = to_tensor({{0, std::log(3.0)}, {std::log(4.0), 0}});
  EXPECT_NEAR(cross_entropy_with_target_0(logits, 1).item<double>(),
              (std::log(4.0) + std::log(1.25)) / 2, 1e-14);
  EXPECT_NEAR(cross_entropy_with_target_0(2 * logits, 2).item<double>(),
              (std::log(4.0) + std::log(1.25)) / 2, 1e-14);
  EXPECT_THROW(cross_entropy_with_target_0(logits, 0), c10::Error);
}

TEST(InfoNce, EqualsTheFormulaWrittenAsLoops) {
  const Matrix q = to_matrix(golden_z1()), k = to_matrix(golden_z2());
  const Tensor negatives = at::cat({golden_z1() - 0.7, golden_z2() + 0.2}, 0);
  const Matrix n = to_matrix(negatives);
  double sum = 0;
  for (size_t i = 0; i < q.size(); ++i) {
    const double own = std::exp(naive_cosine(q[i], k[i]) / 0.3);
    double all = own;
    for (const auto& other : n) all += std::exp(naive_cosine(q[i], other) / 0.3);
    sum -= std::log(own / all) / static_cast<double>(q.size());
  }
  EXPECT_NEAR(info_nce(golden_z1(), golden_z2(), negatives, 0.3).item<double>(), sum, 1e-12);
}

TEST(InfoNce, HasTrueGradientsAndNoneWithoutNegatives) {
  const Tensor negatives = golden_z1() - 0.7, none = at::zeros({0, 6}, at::kDouble);
  expect_true_gradients(
      [&](const Tensor& a, const Tensor& b) { return info_nce(a, b, negatives, 0.2); });
  const Tensor query = golden_z1().requires_grad_();
  const Tensor loss = info_nce(query, golden_z2(), none, 0.2);
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_EQ(query.grad().abs().sum().item<double>(), 0);
}

TEST(InfoNce, SurvivesZeroRowsAndSmallTemperatures) {
  const Tensor zero = at::zeros({4, 6}, at::kDouble);
  for (const Tensor& negatives : {zero, golden_z1()}) {
    const PairLoss loss = [&](const Tensor& a, const Tensor& b) {
      return info_nce(a, b, negatives.to(a.scalar_type()), 1e-3);
    };
    expect_finite_with_gradients(loss, zero, golden_z2());
    expect_finite_with_gradients(loss, golden_z1(), zero);
  }
}

TEST(CrossCorrelation, MatchesTwoSamplesByHand) {
  // Standardised columns are (d, -d) / sqrt(d^2 + 1e-5) for d half the difference.
  const Tensor c = cross_correlation(to_tensor({{1, 5}, {3, 1}}), to_tensor({{0, 7}, {4, 9}}));
  const auto s = [](double d) { return d / std::sqrt(d * d + 1e-5); };
  EXPECT_LT(largest_difference(
                c, to_tensor({{s(-1) * s(-2), s(-1) * s(-1)}, {s(2) * s(-2), s(2) * s(-1)}})),
            1e-14);
}

TEST(CrossCorrelation, HasTrueGradientsAndSurvivesConstantColumns) {
  const PairLoss loss = [](const Tensor& a, const Tensor& b) {
    return redundancy_reduction(cross_correlation(a, b), 0.005);
  };
  expect_true_gradients(loss);
  expect_finite_with_gradients(loss, at::ones_like(golden_z1()), golden_z2());
  EXPECT_THAT(io::user_error([&] {
                loss(at::ones({1, 3}), at::ones({1, 3}));
              }),
              HasSubstr("expected at least 2 samples"));
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
  EXPECT_THAT(io::user_error([&] { column_correlation(one, one, true); }),
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
  auto biased = mlp({4, 8, 2}, {.batch_norm = true});
  EXPECT_FALSE(biased->named_parameters().contains("0.bias"));  // the norm would cancel it
  EXPECT_TRUE(biased->named_parameters().contains("3.bias"));
  EXPECT_EQ(normed->forward(at::randn({3, 4})).sizes(), at::IntArrayRef({3, 2}));
  EXPECT_THROW(mlp({4}), c10::Error);
}

TEST(Mlp, NormalisesAsLibTorchsBatchNorm) {
  auto ours = mlp({4, 3, 2}, {.batch_norm = true});
  torch::nn::BatchNorm1d reference(3);
  const Tensor x = at::randn({5, 4});
  const Tensor expected = reference->forward(ours[0]->as<torch::nn::Linear>()->forward(x));
  ours->forward(x);
  const auto buffers = ours->named_buffers();
  EXPECT_TRUE(buffers["1.running_mean"].equal(reference->running_mean));
  EXPECT_TRUE(buffers["1.running_var"].equal(reference->running_var));
  EXPECT_TRUE(ours->forward(x).equal(ours[3]->as<torch::nn::Linear>()->forward(expected.relu())));
}

TEST(Mlp, RefusesABatchOfOneWithBatchNormInTraining) {
  auto head = mlp({4, 3, 2}, {.batch_norm = true});
  const Tensor one = at::randn({1, 4});
  EXPECT_THAT(io::user_error([&] { head->forward(one); }),
              testing::AllOf(HasSubstr("got a batch of 1"), HasSubstr("batch_size")));
  head->eval();
  EXPECT_EQ(head->forward(one).size(0), 1);
  EXPECT_EQ(mlp({4, 3, 2})->forward(one).size(0), 1);
}

// The mean over the pairs of cos(p_v, z_a) and cos(z_v, p_a), as the rows' cosine.
TEST(PredictionSpace, HasTheMeanOfBothSimilaritiesAsItsCosine) {
  const Pair p = {golden_z1(), golden_z2()}, z = {golden_z2() + 0.3, golden_z1() - 0.4};
  const Pair space = prediction_space(p, z);
  const Tensor expected = (row_cosines(p.video, z.audio) + row_cosines(z.video, p.audio)) / 2;
  EXPECT_LT(largest_difference(row_cosines(space.video, space.audio), expected), 1e-14);
}

}  // namespace
}  // namespace avbench
