#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

// Published implementations (lightly, solo-learn, VISSL) at the golden inputs.
TEST(SimClr, MatchesPublishedLossesAndGradients) {
  struct Golden {
    const char* temperature;
    double loss, grad_video, grad_audio;
  };
  for (const Golden& golden : {Golden{"0.5", 2.3279343384, 1.9791828119, 2.0798629931},
                               Golden{"0.1", 6.9052947773, 11.6714976486, 12.4193419272}}) {
    const Settings settings = {{"temperature", golden.temperature}};
    EXPECT_NEAR(total("simclr", golden_z1(), golden_z2(), settings), golden.loss, 1e-9);
    const auto [video, audio] = gradient_norms("simclr", settings);
    EXPECT_NEAR(video, golden.grad_video, 1e-9);
    EXPECT_NEAR(audio, golden.grad_audio, 1e-9);
  }
}

TEST(SimClr, EqualsTheFormulaWrittenAsLoops) {
  const Matrix v = to_matrix(golden_z1()), a = to_matrix(golden_z2());
  EXPECT_NEAR(total("simclr", golden_z1(), golden_z2(), {{"temperature", "0.3"}}),
              (naive_contrast(v, a, 0.3) + naive_contrast(a, v, 0.3)) / 8, 1e-11);
}

TEST(SimClr, MatchesTwoOrthogonalPairsByHand) {
  const Tensor axes = to_tensor({{1, 0}, {0, 1}});
  const double e = std::exp(2.0);
  EXPECT_NEAR(total("simclr", axes, axes, {{"temperature", "0.5"}}), std::log((e + 2) / e), 1e-14);
}

TEST(SimClr, ProjectsEachModalityThroughItsOwnTwoLayers) {
  const auto method = make_method("simclr", 512);
  const auto parameters = method->named_parameters();
  for (const std::string head : {"project_video.", "project_audio."}) {
    EXPECT_EQ(parameters[head + "0.weight"].sizes(), at::IntArrayRef({512, 512}));
    EXPECT_EQ(parameters[head + "2.weight"].sizes(), at::IntArrayRef({128, 512}));
  }
  const auto [video, audio] = method->embed(method->towers().forward(fake_batch(3, kInputs)));
  EXPECT_EQ(video.sizes(), at::IntArrayRef({3, 128}));
  EXPECT_FALSE(at::allclose(video, audio));
}

TEST(SimClr, TrainsOnItsPureLoss) {
  expect_loss_is_the_pure_loss("simclr", {});
  expect_gradients_everywhere("simclr", {{"hidden_dim", "6"}, {"projector_dim", "3"}});
}

TEST(SimClr, HasTheOfficialHeadsIfAsked) {
  const Settings official = {{"hidden_dim", "6"},
                             {"projector_dim", "3"},
                             {"projector_layers", "3"},
                             {"batch_norm", "true"}};
  const auto parameters = bent_method("simclr", official)->named_parameters();
  EXPECT_EQ(parameters["project_video.3.weight"].sizes(), at::IntArrayRef({6, 6}));
  EXPECT_EQ(parameters["project_video.6.weight"].sizes(), at::IntArrayRef({3, 6}));
  expect_a_proper_method("simclr", official);
}

TEST(SimClr, RefusesABatchOfOne) {
  const Tensor one = at::ones({1, 4}, at::kDouble);
  EXPECT_THAT(io::user_error([&] { total("simclr", one, one); }), testing::HasSubstr("at least 2"));
}

}  // namespace
}  // namespace avbench
