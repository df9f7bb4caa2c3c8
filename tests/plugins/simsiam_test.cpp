#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avbench/losses.h"
#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::HasSubstr;

const Settings kSmall = {{"projector_dim", "8"}, {"predictor_dim", "6"}};

NamedTensors golden(const Tensor& z1, const Tensor& z2) {
  return {{"prediction_video", z1},
          {"projection_video", z1},
          {"prediction_audio", z2},
          {"projection_audio", z2}};
}

// The official formula at the golden inputs: each is prediction and projection at once.
TEST(SimSiam, MatchesThePublishedLossAndGradients) {
  const Tensor z1 = golden_z1().requires_grad_(), z2 = golden_z2().requires_grad_();
  const Tensor total = pure_loss("simsiam", golden(z1, z2)).total;
  EXPECT_NEAR(total.item<double>(), -0.2560451128, 1e-9);
  total.backward();
  EXPECT_NEAR(z1.grad().abs().sum().item<double>(), 0.584341328, 1e-9);
  EXPECT_NEAR(z2.grad().abs().sum().item<double>(), 0.6246773486, 1e-9);
}

TEST(SimSiam, EqualsTheFormulaWrittenAsLoops) {
  const Matrix z1 = to_matrix(golden_z1()), z2 = to_matrix(golden_z2());
  double sum = 0;
  // p_v = Z1 against z_a = Z1, p_a = Z2 against z_v = Z1: the tensors are told apart.
  for (size_t i = 0; i < z1.size(); ++i) {
    sum += naive_cosine(z1[i], z1[i]) + naive_cosine(z2[i], z1[i]);
  }
  const NamedTensors x = {{"prediction_video", golden_z1()},
                          {"projection_audio", golden_z1()},
                          {"prediction_audio", golden_z2()},
                          {"projection_video", golden_z1()}};
  EXPECT_NEAR(pure_loss("simsiam", x).total.item<double>(), -sum / 8, 1e-12);
}

TEST(SimSiam, MatchesTwoSamplesByHand) {
  // cos 1 and 0 for video, -1 and 0.6 for audio: -(0.5 - 0.2) / 2.
  const NamedTensors x = {{"prediction_video", to_tensor({{2, 0}, {1, 0}})},
                          {"projection_audio", to_tensor({{5, 0}, {0, 1}})},
                          {"prediction_audio", to_tensor({{0, 1}, {3, 4}})},
                          {"projection_video", to_tensor({{0, -9}, {1, 0}})}};
  EXPECT_NEAR(pure_loss("simsiam", x).total.item<double>(), -0.15, 1e-14);
}

TEST(SimSiam, StopsTheGradientOfProjections) {
  expect_property("gradient_matches_finite_differences", "simsiam");
}

TEST(SimSiam, IsFiniteOnZeroRows) {
  const Tensor zero = at::zeros({4, 6}, at::kDouble).requires_grad_();
  const Tensor total = pure_loss("simsiam", golden(zero, golden_z2())).total;
  total.backward();
  EXPECT_TRUE(std::isfinite(total.item<double>()));
  EXPECT_TRUE(at::isfinite(zero.grad()).all().item<bool>());
}

TEST(SimSiam, TrainsEveryParameter) {
  expect_gradients_everywhere("simsiam", kSmall);
  EXPECT_TRUE(untrained_parameters(*bent_method("simsiam", kSmall)).empty());
}

TEST(SimSiam, HasTheOfficialHeadsIfAsked) {
  const auto method = make_method(
      "simsiam", 16, {{"projector_dim", "32"}, {"projector_layers", "3"}, {"predictor_dim", "8"}});
  std::vector<std::string> names;
  for (const auto& item : method->named_parameters()) {
    if (item.key().find("_video.") != std::string::npos) names.push_back(item.key());
  }
  // No bias before a batch norm, no scale and shift in the projector's last one.
  EXPECT_THAT(names,
              testing::UnorderedElementsAre(
                  "project_video.0.weight", "project_video.1.weight", "project_video.1.bias",
                  "project_video.3.weight", "project_video.4.weight", "project_video.4.bias",
                  "project_video.6.weight", "predict_video.0.weight", "predict_video.1.weight",
                  "predict_video.1.bias", "predict_video.3.weight", "predict_video.3.bias"));
  EXPECT_EQ(method->named_parameters()["predict_video.0.weight"].sizes(), at::IntArrayRef({8, 32}));
}

TEST(SimSiam, KeepsThePredictorsRateConstantOnlyIfAsked) {
  for (const bool constant : {false, true}) {
    Settings settings = kSmall;
    settings["constant_predictor_lr"] = constant ? "true" : "false";
    const auto groups = bent_method("simsiam", settings)->param_groups(Stage::kPretrain);
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_FALSE(groups[0].constant_lr);
    EXPECT_EQ(groups[1].constant_lr, constant);
    EXPECT_EQ(groups[1].parameters.size(), 2 * 5u);
  }
}

TEST(SimSiam, GivesThePredictorsARateOfTheirOwnIfAsked) {
  for (const auto& [text, scale] : {std::pair{"1", 1.0}, {"10", 10.0}}) {
    Settings settings = kSmall;
    settings["predictor_lr_scale"] = text;
    const auto method = bent_method("simsiam", settings);
    const auto groups = method->param_groups(Stage::kPretrain);
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0].lr_scale, 1);
    EXPECT_EQ(groups[1].lr_scale, scale);
    for (const Tensor& parameter : groups[1].parameters) {
      bool predicts = false;
      for (const auto& item : method->named_parameters()) {
        predicts |= item.value().is_same(parameter) && item.key().starts_with("predict_");
      }
      EXPECT_TRUE(predicts);
    }
  }
}

// Both halves of an embedding are unit, so the cosine is the mean of the two similarities.
TEST(SimSiam, EmbedsSoThatTheCosineIsTheSimilarityThatIsTrained) {
  const auto method = bent_method("simsiam", kSmall);
  const Batch batch = batch_of_step(0);
  const auto [video, audio] = method->embed(method->towers().forward(batch));
  const double cosine = row_cosines(video, audio).mean().item<double>();
  EXPECT_NEAR(-cosine, loss_of(*method, batch).total.item<double>(), 1e-5);
}

TEST(SimSiam, RefusesABatchOfOneInTrainingOnly) {
  const auto method = bent_method("simsiam", kSmall);
  const Batch one = batch_of_step(0, 1);
  EXPECT_THAT(io::user_error([&] { loss_of(*method, one); }), HasSubstr("got a batch of 1"));
  method->eval();
  EXPECT_TRUE(std::isfinite(method->loss(one, step_context(0, false)).total.item<double>()));
}

}  // namespace
}  // namespace avbench
