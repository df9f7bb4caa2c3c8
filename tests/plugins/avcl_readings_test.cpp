// Every parameter of AVCL that reads the paper in another way, against loops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "encoders/two_towers.h"
#include "io/error.h"
#include "io/message.h"
#include "plugins/method_testing.h"

namespace avbench {
namespace {

using testing::HasSubstr;

// Naive AMFM: weights as matrices, rows as vectors.
Matrix naive_linear(Method& method, const std::string& name, const Matrix& x) {
  const auto parameters = method.named_parameters();
  const Matrix weight = to_matrix(parameters[name + ".weight"]);
  const Tensor bias = parameters[name + ".bias"];
  Matrix y(x.size(), std::vector<double>(weight.size()));
  for (size_t n = 0; n < x.size(); ++n) {
    for (size_t o = 0; o < weight.size(); ++o) {
      y[n][o] = bias[static_cast<int64_t>(o)].item<double>();
      for (size_t i = 0; i < x[n].size(); ++i) y[n][o] += weight[o][i] * x[n][i];
    }
  }
  return y;
}

Matrix each(Matrix x, const std::function<double(double)>& f) {
  for (auto& row : x) std::transform(row.begin(), row.end(), row.begin(), f);
  return x;
}

double relu(double x) { return x > 0 ? x : 0; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Matrix product(Matrix x, const Matrix& y) {
  for (size_t n = 0; n < x.size(); ++n) {
    for (size_t i = 0; i < x[n].size(); ++i) x[n][i] *= y[n][i];
  }
  return x;
}

using Matrices = std::pair<Matrix, Matrix>;  // video, audio

// E after its activation, for each modality.
Matrices naive_gates(Method& method, const Matrices& x, const Settings& settings) {
  const auto has = [&](const char* name, const char* text) {
    return settings.contains(name) && settings.at(name) == text;
  };
  Matrix both = x.first;
  for (size_t n = 0; n < both.size(); ++n) {
    both[n].insert(both[n].end(), x.second[n].begin(), x.second[n].end());
  }
  Matrix z = naive_linear(method, "amfm.squeeze", both);
  if (has("gate_hidden", "relu")) z = each(z, relu);
  const auto open = [&](const std::string& name) {
    const Matrix e = naive_linear(method, "amfm." + name, z);
    return each(e, has("gate_activation", "sigmoid") ? sigmoid : relu);
  };
  if (has("gate", "per_modality")) return {open("excite_video"), open("excite_audio")};
  return {open("excite"), open("excite")};
}

Matrices naive_fusion(Method& method, const Matrices& x, const Settings& settings) {
  const auto [video, audio] = naive_gates(method, x, settings);
  return {product(video, x.first), product(audio, x.second)};
}

double naive_cor(const Matrices& x) {
  return naive_standardised_redundancy(x.first, x.second, 0.005);
}
double naive_self(const Matrices& x) {
  return naive_contrast(x.first, x.second, 0.5) + naive_contrast(x.second, x.first, 0.5);
}

// Towers with two of the taps, each proportional to some of the outputs, by a factor that varies
// over time, height and width.
class TappedTowers : public FakeTowers {
 public:
  using FakeTowers::FakeTowers;
  Features forward(const Batch& batch, const std::string& view = kBaseView) override {
    Features features = FakeTowers::forward(batch, view);
    for (TowerOutput* output : {&features.video, &features.audio}) {
      output->taps = {{"conv3", spread(output->pooled, 2)}, {"conv4", spread(output->pooled, 3)}};
    }
    return features;
  }
  int64_t tap_channels(const std::string& tap) const override {
    if (tap == "conv3") return 2;
    if (tap == "conv4") return 3;
    throw io::UserError("unknown tap '" + tap + "'; known: conv3, conv4");
  }

 private:
  static Tensor spread(const Tensor& pooled, int64_t channels) {
    const Tensor factor = at::arange(12, pooled.options()).view({1, 1, 3, 2, 2}).cos();
    return pooled.narrow(1, 0, channels).view({-1, channels, 1, 1, 1}) * factor;
  }
};

Matrix naive_average(const Tensor& map) {
  const Tensor flat = map.detach().to(at::kDouble).flatten(2).contiguous();
  Matrix mean(flat.size(0), std::vector<double>(flat.size(1), 0.0));
  const auto value = flat.accessor<double, 3>();
  for (int64_t n = 0; n < value.size(0); ++n) {
    for (int64_t c = 0; c < value.size(1); ++c) {
      for (int64_t k = 0; k < value.size(2); ++k) mean[n][c] += value[n][c][k];
      mean[n][c] /= static_cast<double>(value.size(2));
    }
  }
  return mean;
}

Matrices averages(const Features& features, const std::string& tap) {
  return {naive_average(features.video.taps.at(tap)), naive_average(features.audio.taps.at(tap))};
}

// A method in float64 on six samples, with what its towers give.
class AvclReading : public testing::Test {
 protected:
  void use(const Settings& settings) {
    settings_ = settings;
    at::manual_seed(5);
    method_ = make_method_on(std::make_shared<TappedTowers>(kInputs, 4), "avcl", settings);
    method_->to(at::kDouble);
    batch_ = fake_batch(6, kInputs);
    for (auto* views : {&batch_.video, &batch_.audio}) {
      views->at(kBaseView) = views->at(kBaseView).to(at::kDouble);
    }
    features_ = method_->towers().forward(batch_);
    plain_ = {to_matrix(features_.video.pooled), to_matrix(features_.audio.pooled)};
    fused_ = naive_fusion(*method_, plain_, settings_);
    loss_ = loss_of(*method_, batch_);
  }

  void expect_parts(double cor, double self) const {
    EXPECT_NEAR(part(loss_, "cor"), cor, 1e-9);
    EXPECT_NEAR(part(loss_, "self"), self, 1e-9);
    EXPECT_NEAR(loss_.total.item<double>(), 0.9 * cor + 0.1 * self, 1e-9);
  }

  Tensor gradient(const std::string& name) const {
    return method_->named_parameters()[name].grad();
  }

  Settings settings_;
  std::shared_ptr<Method> method_;
  Batch batch_;
  Features features_;
  Matrices plain_, fused_;  // ~v, ~a; f_v, f_a by loops
  Loss loss_;
};

TEST_F(AvclReading, OfTheGateEqualsItsLoops) {
  for (const Settings& settings :
       {Settings{}, Settings{{"gate", "per_modality"}}, Settings{{"gate_activation", "sigmoid"}},
        Settings{{"gate_hidden", "relu"}},
        Settings{
            {"gate", "per_modality"}, {"gate_activation", "sigmoid"}, {"gate_hidden", "relu"}}}) {
    use(settings);
    expect_parts(naive_cor(fused_), naive_self(fused_));
    const Tensor seen = method_->fuse(features_.video.pooled, features_.audio.pooled);
    const Tensor expected = at::cat({to_tensor(fused_.first), to_tensor(fused_.second)}, 1);
    EXPECT_LT(largest_difference(seen, expected), 1e-12);
  }
}

TEST_F(AvclReading, OfTheGatePerModalityHasAnExcitationMore) {
  use({{"gate", "per_modality"}});
  EXPECT_EQ(method_->named_parameters().size(), 4u + 6u);
  use({});
  EXPECT_EQ(method_->named_parameters().size(), 4u + 4u);
}

TEST_F(AvclReading, OfSelfClBeforeOrAfterAmfmLeavesCgraWhereItIs) {
  use({{"selfcl_on", "towers"}});
  expect_parts(naive_cor(fused_), naive_self(plain_));
  EXPECT_TRUE(method_->embed(features_).video.equal(features_.video.pooled));
  use({{"alignment", "towers"}, {"selfcl_on", "fused"}});
  expect_parts(naive_cor(plain_), naive_self(fused_));
  use({{"alignment", "towers"}, {"selfcl_on", "towers"}});
  expect_parts(naive_cor(plain_), naive_self(plain_));
}

TEST_F(AvclReading, OfTheGateInOneLossOnlyTrainsAmfm) {
  for (const Settings& settings : {Settings{{"selfcl_on", "towers"}},
                                   Settings{{"alignment", "towers"}, {"selfcl_on", "fused"}}}) {
    expect_gradients_everywhere("avcl", settings);
    use(settings);
    EXPECT_EQ(tensors_in(method_->param_groups(Stage::kPretrain)), 8u);
  }
}

TEST_F(AvclReading, OfCgraLayersAddsATermALayer) {
  use({{"cgra_layers", "conv3"}});
  expect_parts(naive_cor(averages(features_, "conv3")), naive_self(fused_));
  use({{"cgra_layers", "conv4, pool"}});
  expect_parts(naive_cor(averages(features_, "conv4")) + naive_cor(fused_), naive_self(fused_));
  use({{"cgra_layers", "conv3,conv4,pool"}, {"alignment", "towers"}});
  expect_parts(naive_cor(averages(features_, "conv3")) + naive_cor(averages(features_, "conv4")) +
                   naive_cor(plain_),
               naive_self(plain_));
}

TEST_F(AvclReading, WithoutCgraIsTheContrastAlone) {
  use({{"cgra_layers", ""}});
  expect_parts(0, naive_self(fused_));
}

TEST_F(AvclReading, OfCgraScaleDividesEachTermByItsChannels) {
  use({{"cgra_layers", "conv3,pool"}, {"cgra_scale", "channels"}});
  expect_parts(naive_cor(averages(features_, "conv3")) / 2 + naive_cor(fused_) / 4,
               naive_self(fused_));
  const Settings scaled = {{"cgra_scale", "channels"}, {"correlation", "centred"}};
  EXPECT_NEAR(part(pure_loss("avcl", golden_z1(), golden_z2(), scaled), "cor"),
              3.002906532241144 / 6, 1e-9);
}

TEST_F(AvclReading, WithAProjectorContrastsWhatTheHeadGives) {
  use({{"projector_dim", "3"}});
  const auto head = [&](const std::string& name, const Matrix& x) {
    return naive_linear(*method_, name + ".2", each(naive_linear(*method_, name + ".0", x), relu));
  };
  const Matrices projected = {head("project_video", fused_.first),
                              head("project_audio", fused_.second)};
  expect_parts(naive_cor(fused_), naive_self(projected));
  const auto [video, audio] = method_->embed(features_);
  EXPECT_LT(largest_difference(video, to_tensor(projected.first)), 1e-12);
  EXPECT_LT(largest_difference(audio, to_tensor(projected.second)), 1e-12);
  EXPECT_EQ(tensors_in(method_->param_groups(Stage::kPretrain)), 8u + 8u);
  EXPECT_EQ(tensors_in(method_->param_groups(Stage::kFinetune)), 8u);
  expect_gradients_everywhere("avcl", {{"projector_dim", "8"}});
}

// What reaches the towers, as differences of the loops in the video tower's bias, with E moving
// along or held where it is.
TEST_F(AvclReading, OfTheGatesGradientStopsWhatPassesThroughE) {
  const auto slope = [&](bool gate_moves) {
    const Matrices held = naive_gates(*method_, plain_, settings_);
    return numerical_gradient(
        [&](const Tensor& bias) {
          Matrices x = plain_;
          for (auto& row : x.first) {
            for (size_t i = 0; i < row.size(); ++i) row[i] += to_matrix(bias)[0][i];
          }
          const Matrices gates = gate_moves ? naive_gates(*method_, x, settings_) : held;
          x = {product(gates.first, x.first), product(gates.second, x.second)};
          return 0.9 * naive_cor(x) + 0.1 * naive_self(x);
        },
        at::zeros({1, 4}, at::kDouble))[0];
  };
  std::map<std::string, Tensor> reached, weights;
  for (const std::string gradient_of_gate : {"full", "stopped", "frozen"}) {
    use({{"gate_gradient", gradient_of_gate}});
    loss_.total.backward();
    reached[gradient_of_gate] = gradient("towers.video.bias");
    weights[gradient_of_gate] = gradient("amfm.squeeze.weight");
    EXPECT_LT(largest_difference(reached[gradient_of_gate], slope(gradient_of_gate == "full")),
              1e-6);
    EXPECT_EQ(tensors_in(method_->param_groups(Stage::kPretrain)),
              gradient_of_gate == "frozen" ? 4u : 8u);
    EXPECT_EQ(tensors_in(method_->param_groups(Stage::kFinetune)), 8u);
  }
  EXPECT_GT(largest_difference(reached["full"], reached["stopped"]), 1e-3);
  EXPECT_TRUE(weights["stopped"].equal(weights["full"]));
  EXPECT_FALSE(weights["frozen"].defined());
}

TEST_F(AvclReading, OfTheGatesGradientLeavesFinetuningWhole) {
  use({{"gate_gradient", "frozen"}});
  method_->fuse(features_.video.pooled, features_.audio.pooled).sum().backward();
  EXPECT_GT(gradient("amfm.squeeze.weight").abs().sum().item<double>(), 0);
}

// The taps of the real backbones, whose channels and extents differ.
TEST(AvclLayers, AreThereInEveryBackbone) {
  for (const config::Backbone name :
       {config::Backbone::kR3d, config::Backbone::kR2plus1d, config::Backbone::kC3d}) {
    const auto method =
        make_method_on(encoders::make_towers({.name = name, .width = 2}, 3), "avcl",
                       {{"cgra_layers", "conv3,conv4,conv5,pool"}, {"alignment", "towers"}});
    const Batch batch = {{{kBaseView, at::rand({4, 3, 4, 16, 16})}},
                         {{kBaseView, at::rand({4, 3, 1, 16, 16})}},
                         at::arange(4)};
    method->eval();
    const Features features = method->towers().forward(batch);
    double expected =
        naive_cor({to_matrix(features.video.pooled), to_matrix(features.audio.pooled)});
    for (const char* tap : {"conv3", "conv4", "conv5"}) {
      expected += naive_cor(averages(features, tap));
    }
    EXPECT_NEAR(part(loss_of(*method, batch), "cor"), expected, 1e-3 * expected)
        << config::to_word(name);
  }
}

TEST(AvclLayers, ThatTheBackboneLacksAreRefused) {
  const auto create = [](const std::string& layers) {
    make_method_on(std::make_shared<TappedTowers>(kInputs, 4), "avcl", {{"cgra_layers", layers}});
  };
  EXPECT_THAT(io::user_error([&] { create("pool,conv5"); }),
              testing::AllOf(HasSubstr("'conv5'"), HasSubstr("known: conv3, conv4")));
  EXPECT_THAT(io::user_error([&] { create("conv1"); }), HasSubstr("of conv3, conv4, conv5, pool"));
}

TEST(Avcl, RefusesCombinationsWithoutEffect) {
  const auto refusal = [](const Settings& settings) {
    return io::user_error([&] { make_method("avcl", 2, settings); });
  };
  EXPECT_THAT(refusal({{"lambda_self", "0"}, {"cgra_layers", ""}}),
              HasSubstr("expected at least one of the two losses"));
  EXPECT_THAT(refusal({{"lambda_self", "0"}, {"lambda_cor", "0"}}),
              HasSubstr("expected at least one of the two losses"));
  EXPECT_THAT(refusal({{"lambda_self", "0"}, {"projector_dim", "2"}}),
              HasSubstr("nothing would train it"));
  EXPECT_THAT(refusal({{"alignment", "towers"}, {"gate_gradient", "stopped"}}),
              HasSubstr("no loss sees the gate"));
}

}  // namespace
}  // namespace avbench
