#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoders/two_towers.h"
#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::StartsWith;

const Settings kSmall = {{"hidden_dim", "10"}, {"projector_dim", "6"}, {"predictor_dim", "7"}};

Settings with(Settings settings, const std::string& name, const std::string& text) {
  settings[name] = text;
  return settings;
}

// solo-learn at the golden inputs, each prediction and target at once.
TEST(Byol, MatchesPublishedLossesAndGradients) {
  const Tensor z1 = golden_z1().requires_grad_(), z2 = golden_z2().requires_grad_();
  const Tensor total = pure_loss("byol", {{"prediction_video", z1},
                                          {"target_video", z1},
                                          {"prediction_audio", z2},
                                          {"target_audio", z2}})
                           .total;
  EXPECT_NEAR(total.item<double>(), 2.9758195488, 1e-9);
  total.backward();
  EXPECT_NEAR(z1.grad().abs().sum().item<double>(), 2.3373653119, 1e-9);
  EXPECT_NEAR(z2.grad().abs().sum().item<double>(), 2.4987093943, 1e-9);
}

TEST(Byol, OfOneDirectionIsThePublishedHalf) {
  // The audio's prediction is its target: that half is zero.
  const Tensor same = golden_z1();
  EXPECT_NEAR(pure_loss("byol", {{"prediction_video", golden_z1()},
                                 {"target_audio", golden_z2()},
                                 {"prediction_audio", same},
                                 {"target_video", same}})
                  .total.item<double>(),
              1.4879097744, 1e-9);
}

TEST(Byol, EqualsTheDistanceOfNormalisedVectorsWrittenAsLoops) {
  const Matrix p = to_matrix(golden_z1()), t = to_matrix(golden_z2());
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    double pp = 0, tt = 0;
    for (size_t k = 0; k < p[i].size(); ++k) {
      pp += p[i][k] * p[i][k];
      tt += t[i][k] * t[i][k];
    }
    for (size_t k = 0; k < p[i].size(); ++k) {
      const double d = p[i][k] / std::sqrt(pp) - t[i][k] / std::sqrt(tt);
      sum += d * d / static_cast<double>(p.size());
    }
  }
  const NamedTensors x = {{"prediction_video", golden_z1()},
                          {"target_audio", golden_z2()},
                          {"prediction_audio", golden_z2()},
                          {"target_video", golden_z1()}};
  EXPECT_NEAR(pure_loss("byol", x).total.item<double>(), 2 * sum, 1e-12);
}

TEST(Byol, MatchesTwoSamplesByHand) {
  // Equal: 0; orthogonal: 2; opposite: 4; cosine 0.6: 0.8.
  const NamedTensors x = {{"prediction_video", to_tensor({{2, 0}, {1, 0}})},
                          {"target_audio", to_tensor({{5, 0}, {0, 1}})},
                          {"prediction_audio", to_tensor({{0, 1}, {3, 4}})},
                          {"target_video", to_tensor({{0, -9}, {1, 0}})}};
  EXPECT_NEAR(pure_loss("byol", x).total.item<double>(), (0 + 2) / 2.0 + (4 + 0.8) / 2, 1e-14);
}

TEST(Byol, StopsTheGradientOfTargets) {
  expect_property("gradient_matches_finite_differences", "byol");
}

TEST(Byol, IsFiniteOnZeroRows) {
  const Tensor zero = at::zeros({4, 6}, at::kDouble).requires_grad_();
  const Tensor total = pure_loss("byol", {{"prediction_video", zero},
                                          {"target_video", zero},
                                          {"prediction_audio", golden_z2()},
                                          {"target_audio", zero}})
                           .total;
  total.backward();
  EXPECT_TRUE(std::isfinite(total.item<double>()));
  EXPECT_TRUE(at::isfinite(zero.grad()).all().item<bool>());
}

TEST(Byol, TrainsEveryParameterInItsGroups) { expect_gradients_everywhere("byol", kSmall); }

TEST(Byol, TrainsEverythingButTheTarget) {
  const auto names = untrained_parameters(*bent_method("byol", kSmall));
  EXPECT_THAT(names, AllOf(testing::SizeIs(4 + 2 * 4), Each(StartsWith("target_"))));
}

TEST(Byol, BeginsWithATargetEqualToTheOnlineNetwork) {
  const auto method = bent_method("byol", kSmall);
  const auto parameters = method->named_parameters();
  EXPECT_TRUE(parameters["target_towers.video.weight"].equal(parameters["towers.video.weight"]));
  EXPECT_TRUE(parameters["target_audio.3.weight"].equal(parameters["project_audio.3.weight"]));
  EXPECT_FALSE(parameters["target_audio.3.weight"].is_same(parameters["project_audio.3.weight"]));
}

// Step 4 of 10 from 0.9: 1 - 0.1 * (cos(0.4 pi) + 1) / 2.
TEST(Byol, MovesTheTargetByTheScheduledMomentum) {
  for (const auto& [schedule, tau] :
       {std::pair{"cosine", 1 - 0.1 * (std::cos(0.4 * M_PI) + 1) / 2}, {"constant", 0.9}}) {
    const auto method =
        bent_method("byol", with(with(kSmall, "momentum", "0.9"), "momentum_schedule", schedule));
    const auto parameters = method->named_parameters();
    for (const auto& [target, online] : {std::pair{"target_towers.audio.bias", "towers.audio.bias"},
                                         {"target_video.0.weight", "project_video.0.weight"},
                                         {"target_audio.1.bias", "project_audio.1.bias"}}) {
      const at::NoGradGuard no_grad;
      parameters[online].add_(1);
      const Tensor expected = tau * parameters[target] + (1 - tau) * parameters[online];
      method->after_step(step_context(4));
      EXPECT_TRUE(at::allclose(parameters[target], expected)) << target;
      parameters[target].copy_(parameters[online]);
    }
  }
}

// In training the target normalises with its own batches and keeps statistics of its own: they
// follow its own features, not the online network's, and no average touches them.
TEST(Byol, KeepsBatchNormStatisticsOfTheTargetsOwnFeatures) {
  const auto method = make_method_on(
      encoders::make_towers({.name = config::Backbone::kR3d, .width = 2}, 3), "byol", kSmall);
  {
    const at::NoGradGuard no_grad;
    method->named_parameters()["towers.video.stem.conv.weight"].mul_(3);
  }
  const Batch batch = {{{kBaseView, at::rand({4, 3, 2, 16, 16})}},
                       {{kBaseView, at::rand({4, 3, 1, 16, 16})}},
                       at::arange(4)};
  const auto buffers = method->named_buffers();
  const Tensor& online = buffers["towers.video.stem.bn.running_mean"];
  const Tensor& target = buffers["target_towers.video.stem.bn.running_mean"];
  loss_of(*method, batch);
  EXPECT_TRUE(at::allclose(online, 3 * target, 1e-4, 1e-6));
  EXPECT_GT(target.abs().sum().item<double>(), 0);
  const Tensor before = target.clone();
  method->after_step(step_context());
  EXPECT_TRUE(target.equal(before));
  method->eval();
  method->loss(batch, step_context(1, /*training=*/false));
  EXPECT_TRUE(target.equal(before));
}

TEST(Byol, EvaluatesTheOnlineTowers) {
  const auto method = bent_method("byol", kSmall);
  EXPECT_EQ(&method->evaluation_towers(), &method->towers());
  EXPECT_EQ(tensors_in(method->param_groups(Stage::kFinetune)), 4u);
}

TEST(Byol, RefusesABatchOfOne) {
  const auto method = bent_method("byol", kSmall);
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch_of_step(0, 1)); }),
              HasSubstr("expected at least 2 samples"));
}

}  // namespace
}  // namespace avbench
