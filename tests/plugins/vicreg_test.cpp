#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::HasSubstr;

const Settings kSmall = {{"projector_dim", "6"}};

// The official formula and lightly at the golden inputs.
TEST(VicReg, MatchesPublishedLossAndGradients) {
  EXPECT_NEAR(total("vicreg", golden_z1(), golden_z2()), 30.5322128646, 1e-9);
  const auto [video, audio] = gradient_norms("vicreg", {});
  EXPECT_NEAR(video, 36.1987292756, 1e-9);
  EXPECT_NEAR(audio, 35.5802430228, 1e-9);
}

double naive_variance(const Matrix& rows, double& covariance) {
  const Matrix x = naive_columns(rows, /*centred=*/true);
  const auto d = static_cast<double>(x.size());
  double hinge = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < x.size(); ++j) {
      double c = 0;
      for (size_t n = 0; n < rows.size(); ++n) {
        c += x[i][n] * x[j][n] / static_cast<double>(rows.size() - 1);
      }
      if (i == j) {
        hinge += std::max(0.0, 1 - std::sqrt(c + 1e-4)) / d;
      } else {
        covariance += c * c / d;
      }
    }
  }
  return hinge;
}

TEST(VicReg, EqualsTheFormulaWrittenAsLoops) {
  const Tensor video = 2 * golden_z1(), audio = golden_z2() - 0.4;
  const Matrix v = to_matrix(video), a = to_matrix(audio);
  double invariance = 0, covariance = 0;
  for (size_t i = 0; i < v.size(); ++i) {
    for (size_t j = 0; j < v[i].size(); ++j) {
      invariance += (v[i][j] - a[i][j]) * (v[i][j] - a[i][j]) / 24;
    }
  }
  const double variance = (naive_variance(v, covariance) + naive_variance(a, covariance)) / 2;
  const Settings settings = {
      {"invariance_weight", "3"}, {"variance_weight", "0.5"}, {"covariance_weight", "7"}};
  const Loss loss = pure_loss("vicreg", video, audio, settings);
  EXPECT_NEAR(loss.total.item<double>(), 3 * invariance + 0.5 * variance + 7 * covariance, 1e-11);
  EXPECT_NEAR(part(loss, "invariance"), invariance, 1e-12);
  EXPECT_NEAR(part(loss, "variance"), variance, 1e-12);
  EXPECT_NEAR(part(loss, "covariance"), covariance, 1e-11);
}

// Columns (0, 0.6) and (0.8, 0): variances 0.18 and 0.32, covariance -0.24 twice, over two
// features.
TEST(VicReg, MatchesTwoSamplesByHand) {
  const Tensor video = to_tensor({{0, 0.8}, {0.6, 0}});
  const Loss loss = pure_loss("vicreg", video, video + 0.5);
  EXPECT_NEAR(part(loss, "invariance"), 0.25, 1e-15);
  EXPECT_NEAR(part(loss, "variance"), 1 - (std::sqrt(0.1801) + std::sqrt(0.3201)) / 2, 1e-15);
  EXPECT_NEAR(part(loss, "covariance"), 2 * 0.24 * 0.24, 1e-15);
}

// Independent features with a deviation of 2: nothing is left but the distance.
TEST(VicReg, AsksNothingOfFeaturesThatVaryEachByItself) {
  const Tensor x = to_tensor({{2, 2}, {2, -2}, {-2, 2}, {-2, -2}});
  EXPECT_EQ(total("vicreg", x, x), 0);
}

TEST(VicReg, HasTrueGradients) { expect_property("gradient_matches_finite_differences", "vicreg"); }

// A constant feature: sqrt(1e-4) = 0.01 is left of its deviation.
TEST(VicReg, IsFiniteOnConstantFeatures) {
  const Tensor video = at::full({4, 6}, 3.0, at::kDouble).requires_grad_();
  const Loss loss = pure_loss("vicreg", video, video.detach());
  loss.total.backward();
  EXPECT_NEAR(loss.total.item<double>(), 25 * 0.99, 1e-12);
  EXPECT_TRUE(at::isfinite(video.grad()).all().item<bool>());
}

TEST(VicReg, IsAProperMethod) {
  expect_gradients_everywhere("vicreg", kSmall);
  expect_a_proper_method("vicreg", {{"projector_dim", "6"}, {"projector_layers", "1"}});
  expect_loss_is_the_pure_loss("vicreg", kSmall);
  EXPECT_TRUE(untrained_parameters(*bent_method("vicreg", kSmall)).empty());
}

TEST(VicReg, ExpandsThroughThreeLayersWithBatchNormBetween) {
  const auto method = make_method("vicreg", 512);
  const auto parameters = method->named_parameters();
  for (const std::string head : {"project_video.", "project_audio."}) {
    EXPECT_EQ(parameters[head + "0.weight"].sizes(), at::IntArrayRef({2048, 512}));
    EXPECT_EQ(parameters[head + "1.weight"].sizes(), at::IntArrayRef({2048}));
    EXPECT_EQ(parameters[head + "6.weight"].sizes(), at::IntArrayRef({2048, 2048}));
    EXPECT_FALSE(parameters.contains(head + "6.bias"));
  }
}

TEST(VicReg, RefusesABatchOfOne) {
  const Tensor one = at::ones({1, 4}, at::kDouble);
  EXPECT_THAT(io::user_error([&] { total("vicreg", one, one); }), HasSubstr("at least 2"));
  const auto method = bent_method("vicreg", kSmall);
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch_of_step(0, 1)); }),
              HasSubstr("at least 2"));
}

}  // namespace
}  // namespace avbench
