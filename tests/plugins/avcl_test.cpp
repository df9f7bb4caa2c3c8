#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/message.h"
#include "plugins/method_testing.h"

namespace avbench {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Settings kOnlySelf = {{"lambda_cor", "0"}, {"lambda_self", "1"}};

Settings with(Settings settings, const std::string& name, const std::string& text) {
  settings[name] = text;
  return settings;
}

TEST(Avcl, MatchesEquationsEvaluatedDirectly) {
  const Tensor v = golden_z1(), a = golden_z2();
  const Loss loss = pure_loss("avcl", v, a, {{"correlation", "centred"}});
  EXPECT_NEAR(part(loss, "self"), 18.623474707390212, 1e-9);
  EXPECT_NEAR(part(loss, "cor"), 3.002906532241144, 1e-9);
  EXPECT_NEAR(loss.total.item<double>(), 0.9 * 3.002906532241144 + 0.1 * 18.623474707390212, 1e-9);
  EXPECT_NEAR(part(pure_loss("avcl", v, a, {{"temperature", "0.1"}}), "self"), 55.24235821808586,
              1e-9);
  EXPECT_NEAR(part(pure_loss("avcl", v, a, {{"correlation", "raw"}}), "cor"), 3.494455275111333,
              1e-9);
}

// SelfCL is NT-Xent summed over the eight anchors: eight times the published mean's gradient.
TEST(Avcl, ContrastHasEightTimesThePublishedMeansGradient) {
  const auto [video, audio] = gradient_norms("avcl", with(kOnlySelf, "temperature", "0.5"));
  EXPECT_NEAR(video / 8, 1.9791828119, 1e-9);
  EXPECT_NEAR(audio / 8, 2.0798629931, 1e-9);
  const auto [sharp_video, sharp_audio] =
      gradient_norms("avcl", with(kOnlySelf, "temperature", "0.1"));
  EXPECT_NEAR(sharp_video / 8, 11.6714976486, 1e-9);
  EXPECT_NEAR(sharp_audio / 8, 12.4193419272, 1e-9);
}

TEST(Avcl, EqualsTheFormulasWrittenAsLoops) {
  const Matrix v = to_matrix(golden_z1()), a = to_matrix(golden_z2());
  for (const bool centred : {true, false}) {
    const double expected = 0.7 * naive_redundancy(v, a, 0.02, centred) +
                            0.3 * (naive_contrast(v, a, 0.2) + naive_contrast(a, v, 0.2));
    EXPECT_NEAR(total("avcl", golden_z1(), golden_z2(),
                      {{"temperature", "0.2"},
                       {"lambda", "0.02"},
                       {"lambda_cor", "0.7"},
                       {"lambda_self", "0.3"},
                       {"correlation", centred ? "centred" : "raw"}}),
                expected, 1e-10);
  }
}

TEST(Avcl, StandardisesColumnsUnlessAskedOtherwise) {
  const Matrix v = to_matrix(golden_z1()), a = to_matrix(golden_z2());
  for (const Settings& settings : {Settings{}, Settings{{"correlation", "standardised"}}}) {
    EXPECT_NEAR(part(pure_loss("avcl", golden_z1(), golden_z2(), settings), "cor"),
                naive_standardised_redundancy(v, a, 0.005), 1e-10);
  }
}

// The floor of a norm keeps a column of 1e-4 at full weight, the variance's lets it fade: its
// gradient cannot explode.
TEST(Avcl, LetsAShrinkingColumnFadeWhereColumnsAreStandardised) {
  const auto slope = [](const char* correlation) {
    Tensor a = golden_z1();
    a.select(1, 0).mul_(1e-4);
    a.requires_grad_();
    pure_loss("avcl", a, golden_z2(),
              {{"correlation", correlation}, {"lambda_self", "0"}, {"lambda_cor", "1"}})
        .total.backward();
    return a.grad().select(1, 0).norm().item<double>();
  };
  EXPECT_GT(slope("centred"), 20 * slope("standardised"));
}

TEST(Avcl, MatchesTwoSamplesByHand) {
  // Centred columns are (1/2, -1/2) and (-1/2, 1/2): C = [[1, -1], [-1, 1]].
  const Tensor axes = to_tensor({{1, 0}, {0, 1}});
  const Loss loss = pure_loss("avcl", axes, axes, {{"correlation", "centred"}});
  EXPECT_NEAR(part(loss, "cor"), 2 * 0.005, 1e-14);
  const double e = std::exp(2.0);  // h of a partner; the two other candidates have h = 1
  EXPECT_NEAR(part(loss, "self"), 4 * std::log((e + 2) / e), 1e-13);
}

TEST(Avcl, GradientOfTheWholeLossIsTheSlope) {
  const Tensor a = golden_z1().requires_grad_(), b = golden_z2();
  pure_loss("avcl", a, b).total.backward();
  const Tensor slope = numerical_gradient([&](const Tensor& x) { return total("avcl", x, b); }, a);
  EXPECT_LT(largest_difference(a.grad(), slope), 1e-7);
}

TEST(Avcl, AveragesTheContrastOverSamplesIfAsked) {
  const Loss sum = pure_loss("avcl", golden_z1(), golden_z2());
  const Loss mean = pure_loss("avcl", golden_z1(), golden_z2(), {{"reduction", "mean"}});
  EXPECT_NEAR(part(mean, "self"), part(sum, "self") / 4, 1e-12);
}

TEST(Avcl, LogsDetachedParts) {
  const Tensor video = golden_z1().requires_grad_();
  for (const auto& [name, value] : pure_loss("avcl", video, golden_z2()).parts) {
    EXPECT_FALSE(value.requires_grad()) << name;
  }
}

TEST(Avcl, StaysFiniteOnDeadColumnsAndEqualRowsAndRefusesABatchOfOne) {
  Tensor dead = golden_z1();
  dead.select(1, 3).zero_();
  const Tensor equal = at::ones({4, 6}, at::kDouble);
  for (const Tensor& video : {dead, equal, at::zeros_like(dead)}) {
    const Tensor input = video.clone().requires_grad_();
    const Tensor loss = pure_loss("avcl", input, golden_z2()).total;
    loss.backward();
    EXPECT_TRUE(std::isfinite(loss.item<double>()));
    EXPECT_TRUE(at::isfinite(input.grad()).all().item<bool>());
  }
  const Tensor one = at::ones({1, 6}, at::kDouble);
  EXPECT_THAT(io::user_error([&] { total("avcl", one, one); }), HasSubstr("at least 2"));
}

void set_parameter(Method& method, const std::string& name, const Tensor& value) {
  const at::NoGradGuard no_grad;
  method.named_parameters()["amfm." + name].copy_(value);
}

// Two features: Z = (v0 + a0 + 0.5, v1 - a1), E = (Z0 + Z1, 1 - Z0).
std::shared_ptr<Method> method_with_known_gate() {
  auto method = make_method("avcl", 2);
  set_parameter(*method, "squeeze.weight", to_tensor({{1, 0, 1, 0}, {0, 1, 0, -1}}));
  set_parameter(*method, "squeeze.bias", at::tensor({0.5, 0.0}));
  set_parameter(*method, "excite.weight", to_tensor({{1, 1}, {-1, 0}}));
  set_parameter(*method, "excite.bias", at::tensor({0.0, 1.0}));
  return method;
}

Features features(const Matrix& video, const Matrix& audio) {
  Features features;
  features.video.pooled = to_tensor(video).to(at::kFloat);
  features.audio.pooled = to_tensor(audio).to(at::kFloat);
  return features;
}

TEST(Amfm, GatesBothModalitiesAlikeAsByHand) {
  const auto method = method_with_known_gate();
  // Sample 0: Z = (4.5, -2), E = (2.5, -3.5). Sample 1: Z = (-1.5, 1), E = (-0.5, 2.5).
  const Features f = features({{1, 2}, {-1, 3}}, {{3, 4}, {-1, 2}});
  const Tensor fused = method->fuse(f.video.pooled, f.audio.pooled);
  const Tensor expected = to_tensor({{2.5, 0, 7.5, 0}, {0, 7.5, 0, 5}});
  EXPECT_LT(largest_difference(fused.to(at::kDouble), expected), 1e-6);
  const auto [video, audio] = method->embed(f);
  EXPECT_TRUE(at::cat({video, audio}, 1).equal(fused));
}

TEST(Amfm, HasTheSizeOfThePaper) {
  const auto method = make_method("avcl", 512);
  int64_t count = 0;
  for (const auto& parameter : method->named_parameters()) {
    if (parameter.key().starts_with("amfm.")) count += parameter.value().numel();
  }
  EXPECT_EQ(count, 1024 * 512 + 512 + 512 * 512 + 512);
}

TEST(Amfm, ReportsTheShareOfLivingGateColumns) {
  const auto method = method_with_known_gate();
  const Diagnostics both = method->diagnostics(features({{1, 2}, {-1, 3}}, {{3, 4}, {-1, 2}}));
  EXPECT_EQ(both.metrics.at(0).first, "living_gate_columns");
  EXPECT_EQ(both.metrics.at(0).second, 1.0);  // each column is open for one of the samples
  EXPECT_THAT(both.collapse, IsEmpty());
  const Diagnostics one = method->diagnostics(features({{1, 2}}, {{3, 4}}));
  EXPECT_EQ(one.metrics.at(0).second, 0.5);
}

TEST(Amfm, ReportsADeadGateAsCollapse) {
  const auto method = method_with_known_gate();
  set_parameter(*method, "excite.bias", at::tensor({-100.0, -100.0}));
  const Diagnostics diagnostics =
      method->diagnostics(features({{1, 2}, {-1, 3}}, {{3, 4}, {-1, 2}}));
  EXPECT_EQ(diagnostics.metrics.at(0).second, 0.0);
  EXPECT_THAT(diagnostics.collapse, HasSubstr("gate is dead"));
}

TEST(Avcl, TrainsOnItsPureLoss) {
  expect_loss_is_the_pure_loss("avcl", {});
  expect_loss_is_the_pure_loss("avcl", {{"alignment", "towers"}});
  expect_gradients_everywhere("avcl", {});
  expect_gradients_everywhere("avcl", {{"alignment", "towers"}});
}

TEST(Avcl, AlignsTheTowersOutputsIfAsked) {
  const auto method = make_method("avcl", 2, {{"alignment", "towers"}});
  const Features f = features({{1, 2}}, {{3, 4}});
  const auto [video, audio] = method->embed(f);
  EXPECT_TRUE(video.equal(f.video.pooled));
  EXPECT_TRUE(audio.equal(f.audio.pooled));
  EXPECT_EQ(method->fuse(video, audio).sizes(), at::IntArrayRef({1, 4}));
}

TEST(Avcl, FinetunesAmfmAndPretrainsItWhereALossReachesIt) {
  const auto fused = make_method("avcl", 2);
  const auto towers = make_method("avcl", 2, {{"alignment", "towers"}});
  EXPECT_EQ(tensors_in(fused->param_groups(Stage::kPretrain)), 8u);
  EXPECT_EQ(tensors_in(towers->param_groups(Stage::kPretrain)), 4u);
  EXPECT_EQ(tensors_in(fused->param_groups(Stage::kFinetune)), 8u);
  EXPECT_EQ(tensors_in(towers->param_groups(Stage::kFinetune)), 8u);
}

TEST(Amfm, CountsTheLivingColumnsOfBothGates) {
  auto method = make_method("avcl", 2, {{"gate", "per_modality"}});
  set_parameter(*method, "excite_video.weight", at::zeros({2, 2}));
  set_parameter(*method, "excite_video.bias", at::tensor({1.0, -1.0}));
  set_parameter(*method, "excite_audio.weight", at::zeros({2, 2}));
  set_parameter(*method, "excite_audio.bias", at::tensor({-1.0, -1.0}));
  EXPECT_EQ(method->diagnostics(features({{1, 2}}, {{3, 4}})).metrics.at(0).second, 0.25);
}

TEST(Avcl, RefusesParametersItDoesNotKnow) {
  EXPECT_THAT(io::user_error([] {
                params_of(plugin_named("avcl"), {{"lamda", "1"}});
              }),
              HasSubstr("did you mean 'lambda'"));
  EXPECT_THAT(io::user_error([] {
                params_of(plugin_named("avcl"), {{"alignment", "both"}});
              }),
              HasSubstr("one of fused, towers"));
}

}  // namespace
}  // namespace avbench
