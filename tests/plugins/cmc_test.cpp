#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "avbench/losses.h"
#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::HasSubstr;

const Settings kSmall = {{"projector_dim", "4"}};
const Settings kLearnt = {
    {"projector_dim", "4"}, {"learnable_temperature", "true"}, {"temperature", "0.2"}};

double naive_direction(const Matrix& queries, const Matrix& keys, double temperature) {
  double sum = 0;
  for (size_t i = 0; i < queries.size(); ++i) {
    double all = 0;
    for (const auto& key : keys) all += std::exp(naive_cosine(queries[i], key) / temperature);
    const double own = std::exp(naive_cosine(queries[i], keys[i]) / temperature);
    sum -= std::log(own / all) / static_cast<double>(queries.size());
  }
  return sum;
}

TEST(Cmc, EqualsTheFormulaWrittenAsLoops) {
  const Matrix v = to_matrix(golden_z1()), a = to_matrix(golden_z2());
  for (const double temperature : {0.07, 0.5}) {
    const Loss loss =
        pure_loss("cmc", golden_z1(), golden_z2(), {{"temperature", std::to_string(temperature)}});
    EXPECT_NEAR(part(loss, "video_to_audio"), naive_direction(v, a, temperature), 1e-11);
    EXPECT_NEAR(part(loss, "audio_to_video"), naive_direction(a, v, temperature), 1e-11);
    EXPECT_NEAR(loss.total.item<double>(),
                (part(loss, "video_to_audio") + part(loss, "audio_to_video")) / 2, 1e-14);
  }
}

// The SDK's InfoNCE, whose values at other inputs are published, one query at a time with the
// batch's other keys as negatives.
TEST(Cmc, IsInfoNceWithTheOtherSamplesAsNegatives) {
  const Tensor video = golden_z1(), audio = golden_z2();
  double sum = 0;
  for (int64_t i = 0; i < 4; ++i) {
    const auto others = [&](const Tensor& rows) {
      return at::cat({rows.slice(0, 0, i), rows.slice(0, i + 1)});
    };
    const Tensor v = video.slice(0, i, i + 1), a = audio.slice(0, i, i + 1);
    sum += info_nce(v, a, others(audio), 0.2).item<double>() / 8;
    sum += info_nce(a, v, others(video), 0.2).item<double>() / 8;
  }
  EXPECT_NEAR(total("cmc", video, audio, {{"temperature", "0.2"}}), sum, 1e-12);
}

// Orthogonal pairs: own 1, other 0. Swapped: own 0, other 1.
TEST(Cmc, MatchesTwoPairsByHand) {
  const Tensor axes = to_tensor({{2, 0}, {0, 3}}), swapped = to_tensor({{0, 1}, {1, 0}});
  EXPECT_NEAR(total("cmc", axes, axes, {{"temperature", "0.5"}}), std::log(1 + std::exp(-2.0)),
              1e-14);
  EXPECT_NEAR(total("cmc", axes, swapped, {{"temperature", "0.5"}}), std::log(1 + std::exp(2.0)),
              1e-14);
}

TEST(Cmc, HasTrueGradients) { expect_property("gradient_matches_finite_differences", "cmc"); }

TEST(Cmc, IsFiniteOnZeroRowsAndAtSmallTemperatures) {
  const Tensor zero = at::zeros({4, 6}, at::kDouble).requires_grad_();
  const Tensor loss = pure_loss("cmc", zero, golden_z2(), {{"temperature", "0.001"}}).total;
  loss.backward();
  EXPECT_NEAR(loss.item<double>(), std::log(4.0), 1e-12);
  EXPECT_TRUE(at::isfinite(zero.grad()).all().item<bool>());
}

TEST(Cmc, TrainsEveryParameterOnItsPureLoss) {
  expect_gradients_everywhere("cmc", kSmall);
  expect_loss_is_the_pure_loss("cmc", kSmall);
  EXPECT_TRUE(untrained_parameters(*bent_method("cmc", kSmall)).empty());
}

TEST(CmcLearntTemperature, IsAProperMethodThatShowsNoInputs) {
  expect_a_proper_method("cmc", kLearnt);
  EXPECT_TRUE(loss_of(*bent_method("cmc", kLearnt), batch_of_step(0)).inputs.empty());
}

TEST(CmcLearntTemperature, BeginsWithTheLossOfItsFirstTemperature) {
  const auto method = bent_method("cmc", kLearnt);
  const Batch batch = batch_of_step(0);
  const auto [video, audio] = method->embed(method->towers().forward(batch));
  const Loss loss = loss_of(*method, batch);
  EXPECT_NEAR(loss.total.item<double>(), total("cmc", video, audio, {{"temperature", "0.2"}}),
              1e-5);
  EXPECT_NEAR(part(loss, "temperature"), 0.2, 1e-6);
}

// d total / d log_scale against a difference of the pure loss over the temperature.
TEST(CmcLearntTemperature, HasTheGradientOfThePureLossOverItsScale) {
  const auto method = bent_method("cmc", kLearnt);
  const Batch batch = batch_of_step(0);
  const auto [video, audio] = method->embed(method->towers().forward(batch));
  const Tensor v = video.detach().to(at::kDouble), a = audio.detach().to(at::kDouble);
  const auto at_scale = [&](double log_scale) {
    return total("cmc", v, a, {{"temperature", std::to_string(std::exp(-log_scale))}});
  };
  loss_of(*method, batch).total.backward();
  const double scale = -std::log(0.2), step = 0.01;
  EXPECT_NEAR(method->named_parameters()["log_scale"].grad().item<double>(),
              (at_scale(scale + step) - at_scale(scale - step)) / (2 * step), 1e-3);
}

TEST(CmcLearntTemperature, StaysAtOrAboveAHundredth) {
  const auto method = bent_method("cmc", kLearnt);
  Tensor log_scale = method->named_parameters()["log_scale"];
  {
    const at::NoGradGuard no_grad;
    log_scale.fill_(5);
  }
  method->after_step(step_context());
  EXPECT_NEAR(log_scale.item<double>(), std::log(100.0), 1e-6);
  method->after_step(step_context());
  EXPECT_NEAR(part(loss_of(*method, batch_of_step(0)), "temperature"), 0.01, 1e-8);
}

TEST(CmcLearntTemperature, IsNotDecayed) {
  const auto method = bent_method("cmc", kLearnt);
  const auto groups = method->param_groups(Stage::kPretrain);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[1].weight_decay, 0);
  ASSERT_EQ(groups[1].parameters.size(), 1u);
  EXPECT_TRUE(groups[1].parameters[0].is_same(method->named_parameters()["log_scale"]));
  EXPECT_EQ(tensors_in(groups), method->parameters().size());
  EXPECT_EQ(tensors_in(method->param_groups(Stage::kFinetune)), 4u);
}

TEST(CmcLearntTemperature, RefusesToBeginBelowItsLimit) {
  EXPECT_THAT(io::user_error([] {
                bent_method("cmc", {{"learnable_temperature", "true"}, {"temperature", "0.005"}});
              }),
              HasSubstr("expected at least 0.01"));
}

TEST(Cmc, RefusesABatchOfOne) {
  const Tensor one = at::ones({1, 4}, at::kDouble);
  EXPECT_THAT(io::user_error([&] { total("cmc", one, one); }), HasSubstr("at least 2"));
  const auto method = bent_method("cmc", kSmall);
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch_of_step(0, 1)); }),
              HasSubstr("at least 2"));
}

}  // namespace
}  // namespace avbench
