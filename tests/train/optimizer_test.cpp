#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "io/error.h"

namespace avbench::train {
namespace {

using Name = config::OptimizerConfig::Name;

struct Problem {
  std::vector<Tensor> parameters;
  std::map<std::string, Tensor> names;
};

// Two parameters, one of them in channels_last_3d as convolution weights are.
Problem make_problem() {
  torch::manual_seed(7);
  Problem p;
  p.parameters = {torch::randn({5}),
                  torch::randn({2, 3, 2, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast3d)};
  for (size_t i = 0; i < p.parameters.size(); ++i) {
    p.parameters[i].requires_grad_(true);
    p.names["p" + std::to_string(i)] = p.parameters[i];
  }
  return p;
}

void backward(const std::vector<Tensor>& parameters) {
  Tensor loss = torch::zeros({});
  for (const Tensor& p : parameters) loss = loss + (p.pow(3) + p.sin()).sum();
  loss.backward();
}

double farthest(const Problem& a, const Problem& b) {
  double d = 0;
  for (size_t i = 0; i < a.parameters.size(); ++i) {
    d = std::max(d, (a.parameters[i] - b.parameters[i]).abs().max().item<double>());
  }
  return d;
}

TEST(Optimizer, SgdStepsAsLibTorchs) {
  Problem ours = make_problem(), theirs = make_problem();
  Optimizer optimizer({.name = Name::kSgd, .lr = 0.05, .momentum = 0.9, .weight_decay = 0.01},
                      {{.parameters = ours.parameters}}, ours.names);
  torch::optim::SGD reference(theirs.parameters,
                              torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(0.01));
  for (int step = 0; step < 5; ++step) {
    optimizer.zero_grad();
    backward(ours.parameters);
    optimizer.step(1);
    reference.zero_grad();
    backward(theirs.parameters);
    reference.step();
  }
  EXPECT_LT(farthest(ours, theirs), 1e-6);
}

// x = 2, gradient 4, rate 0.1.
TEST(Optimizer, SgdWorksWithoutMomentum) {
  Tensor x = torch::full({1}, 2.0).requires_grad_(true);
  Optimizer optimizer({.lr = 0.1, .momentum = 0, .weight_decay = 0}, {{.parameters = {x}}},
                      {{"x", x}});
  (x * x).sum().backward();
  optimizer.step(1);
  EXPECT_NEAR(x.item<double>(), 1.6, 1e-6);
  EXPECT_THROW(Optimizer({.momentum = 0, .nesterov = true}, {{.parameters = {x}}}, {{"x", x}}),
               io::UserError);
}

TEST(Optimizer, AdamwStepsAsLibTorchs) {
  Problem ours = make_problem(), theirs = make_problem();
  Optimizer optimizer({.name = Name::kAdamw, .lr = 0.01, .weight_decay = 0.1},
                      {{.parameters = ours.parameters}}, ours.names);
  torch::optim::AdamW reference(theirs.parameters,
                                torch::optim::AdamWOptions(0.01).weight_decay(0.1));
  for (int step = 0; step < 5; ++step) {
    optimizer.zero_grad();
    backward(ours.parameters);
    optimizer.step(1);
    reference.zero_grad();
    backward(theirs.parameters);
    reference.step();
  }
  EXPECT_LT(farthest(ours, theirs), 1e-6);
}

// A vector and a matrix, as two groups of LibTorch's optimisers.
TEST(Optimizer, LeavesNormsAndBiasesOutOfTheDecayIfAsked) {
  for (const auto name : {Name::kSgd, Name::kAdamw}) {
    Problem ours = make_problem(), theirs = make_problem();
    Optimizer optimizer({.name = name,
                         .lr = 0.01,
                         .momentum = 0.9,
                         .weight_decay = 0.1,
                         .decay_norms_and_biases = false},
                        {{.parameters = ours.parameters}}, ours.names);
    const auto groups = [&](const torch::optim::OptimizerOptions& plain,
                            const torch::optim::OptimizerOptions& decayed) {
      return std::vector<torch::optim::OptimizerParamGroup>{
          {{theirs.parameters[0]}, plain.clone()}, {{theirs.parameters[1]}, decayed.clone()}};
    };
    std::unique_ptr<torch::optim::Optimizer> reference;
    if (name == Name::kSgd) {
      const auto sgd = torch::optim::SGDOptions(0.01).momentum(0.9);
      reference = std::make_unique<torch::optim::SGD>(
          groups(torch::optim::SGDOptions(sgd), torch::optim::SGDOptions(sgd).weight_decay(0.1)),
          sgd);
    } else {
      const torch::optim::AdamWOptions adamw(0.01);
      reference = std::make_unique<torch::optim::AdamW>(
          groups(torch::optim::AdamWOptions(adamw).weight_decay(0),
                 torch::optim::AdamWOptions(adamw).weight_decay(0.1)),
          adamw);
    }
    for (int step = 0; step < 5; ++step) {
      optimizer.zero_grad();
      backward(ours.parameters);
      optimizer.step(1);
      reference->zero_grad();
      backward(theirs.parameters);
      reference->step();
    }
    EXPECT_LT(farthest(ours, theirs), 1e-6) << config::to_word(name);
  }
}

// One parameter under LARS, written as loops over numbers, in float64.
struct NaiveLars {
  bool adapted;
  double lr;
  std::vector<double> weights, velocity = std::vector<double>(weights.size(), 0.0);

  void step(std::vector<double> update) {
    double weight_norm = 0, update_norm = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (adapted) update[i] += 0.02 * weights[i];
      weight_norm += weights[i] * weights[i];
      update_norm += update[i] * update[i];
    }
    const double trust = adapted ? 0.001 * std::sqrt(weight_norm) / std::sqrt(update_norm) : 1;
    for (size_t i = 0; i < weights.size(); ++i) {
      velocity[i] = 0.8 * velocity[i] + trust * update[i];
      weights[i] -= lr * velocity[i];
    }
  }
};

std::vector<double> numbers(const Tensor& x) {
  const Tensor flat = x.detach().to(at::kDouble).flatten().contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

TEST(Optimizer, LarsStepsAsItsLoops) {
  Problem problem = make_problem();
  const std::vector<Tensor>& p = problem.parameters;
  Optimizer optimizer({.name = Name::kLars, .lr = 0.05, .momentum = 0.8, .weight_decay = 0.02},
                      {{.parameters = {p[0]}}, {.parameters = {p[1]}, .lr_scale = 60}},
                      problem.names);
  NaiveLars vector{.adapted = false, .lr = 0.05, .weights = numbers(p[0])};
  NaiveLars kernel{.adapted = true, .lr = 0.05 * 60, .weights = numbers(p[1])};
  for (int step = 0; step < 5; ++step) {
    optimizer.zero_grad();
    backward(problem.parameters);
    vector.step(numbers(p[0].grad()));
    kernel.step(numbers(p[1].grad()));
    optimizer.step(1);
    for (const auto& [naive, tensor] : {std::pair{&vector, p[0]}, std::pair{&kernel, p[1]}}) {
      const std::vector<double> got = numbers(tensor);
      for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], naive->weights[i], 1e-5);
    }
  }
}

// Weight (3, 4) of norm 5, gradient (0, 2), no decay: a step of lr * 0.001 * 5 / 2 * gradient.
// A bias moves by lr * gradient, a zero weight too.
TEST(Optimizer, LarsAdaptsMatricesByHandAndLeavesBiasesAlone) {
  Tensor weight = torch::tensor({{3.0, 4.0}}).requires_grad_(true);
  Tensor bias = torch::tensor({3.0, 4.0}).requires_grad_(true);
  Tensor zero = torch::zeros({1, 2}).requires_grad_(true);
  Optimizer optimizer({.name = Name::kLars, .lr = 10, .momentum = 0, .weight_decay = 0},
                      {{.parameters = {weight, zero}}, {.parameters = {bias}, .weight_decay = 1.0}},
                      {{"weight", weight}, {"bias", bias}, {"zero", zero}});
  const Tensor direction = torch::tensor({0.0, 2.0});
  ((weight[0] + bias + zero[0]) * direction).sum().backward();
  optimizer.step(1);
  EXPECT_TRUE(at::allclose(weight, torch::tensor({{3.0, 4 - 10 * 0.001 * 2.5 * 2}})));
  EXPECT_TRUE(at::allclose(bias, torch::tensor({3.0, 4 - 10 * 2.0})));
  EXPECT_TRUE(at::allclose(zero, torch::tensor({{0.0, -20.0}})));
}

TEST(Optimizer, OnlySgdHasNesterovMomentum) {
  Tensor x = torch::ones({1}).requires_grad_(true);
  for (const auto name : {Name::kAdamw, Name::kLars}) {
    EXPECT_THROW(Optimizer({.name = name, .nesterov = true}, {{.parameters = {x}}}, {{"x", x}}),
                 io::UserError);
  }
}

// x = 2, gradient 2x = 4, rate 0.1 * 0.5 * lr_scale.
TEST(Optimizer, GroupsHaveTheirOwnScaleDecayAndSchedule) {
  Tensor scaled = torch::full({1}, 2.0).requires_grad_(true);
  Tensor constant = torch::full({1}, 2.0).requires_grad_(true);
  Optimizer optimizer({.name = Name::kSgd, .lr = 0.1, .momentum = 0, .weight_decay = 0},
                      {{.parameters = {scaled}, .lr_scale = 3, .weight_decay = 1.0},
                       {.parameters = {constant}, .constant_lr = true}},
                      {{"scaled", scaled}, {"constant", constant}});
  (scaled * scaled + constant * constant).sum().backward();
  optimizer.step(0.5);
  EXPECT_NEAR(scaled.item<double>(), 2 - 0.1 * 0.5 * 3 * (4 + 1.0 * 2), 1e-6);
  EXPECT_NEAR(constant.item<double>(), 2 - 0.1 * 4, 1e-6);
}

// Gradients (3, 4): norm 5.
TEST(Optimizer, ClipsTheGlobalNormAcrossParameters) {
  Tensor a = torch::zeros({1}).requires_grad_(true), b = torch::zeros({1}).requires_grad_(true);
  Optimizer optimizer({}, {{.parameters = {a, b}}}, {{"a", a}, {"b", b}});
  (3 * a + 4 * b).sum().backward();
  EXPECT_NEAR(optimizer.gradient_norm().item<double>(), 5, 1e-6);
  optimizer.clip_gradients(5, 0);
  EXPECT_NEAR(a.grad().item<double>(), 3, 1e-6);
  optimizer.clip_gradients(5, 1);
  EXPECT_NEAR(a.grad().item<double>(), 0.6, 1e-6);
  EXPECT_NEAR(b.grad().item<double>(), 0.8, 1e-6);
}

TEST(Optimizer, ContinuesFromItsSavedState) {
  for (const auto name : {Name::kSgd, Name::kAdamw, Name::kLars}) {
    const config::OptimizerConfig config{.name = name, .lr = 0.05};
    Problem unbroken = make_problem(), first = make_problem();
    Optimizer a(config, {{.parameters = unbroken.parameters}}, unbroken.names);
    Optimizer b(config, {{.parameters = first.parameters}}, first.names);
    const auto step = [](Optimizer& optimizer, Problem& problem) {
      optimizer.zero_grad();
      backward(problem.parameters);
      optimizer.step(1);
    };
    for (int i = 0; i < 4; ++i) step(a, unbroken);
    for (int i = 0; i < 2; ++i) step(b, first);
    Optimizer c(config, {{.parameters = first.parameters}}, first.names);
    c.restore(b.state());
    for (int i = 0; i < 2; ++i) step(c, first);
    EXPECT_EQ(farthest(unbroken, first), 0) << config::to_word(name);
  }
}

// Checkpoints hold these names.
TEST(Optimizer, NamesItsStateBySlotAndParameter) {
  const auto names_of = [](Name name, double momentum) {
    Problem problem = make_problem();
    const Optimizer optimizer({.name = name, .momentum = momentum},
                              {{.parameters = problem.parameters}}, problem.names);
    std::vector<std::string> names;
    for (const auto& [key, tensor] : optimizer.state()) {
      EXPECT_EQ(tensor.abs().sum().item<double>(), 0) << key;
      names.push_back(key);
    }
    return names;
  };
  const std::vector<std::string> momentum{"momentum/p0", "momentum/p1"};
  for (const double value : {0.9, 0.0}) {
    EXPECT_EQ(names_of(Name::kSgd, value), momentum);
    EXPECT_EQ(names_of(Name::kLars, value), momentum);
  }
  EXPECT_EQ(names_of(Name::kAdamw, 0.9),
            (std::vector<std::string>{"exp_avg/p0", "exp_avg/p1", "exp_avg_sq/p0", "exp_avg_sq/p1",
                                      "step/p0", "step/p1"}));
}

// A name of the configuration without an update rule would be found at the first run with it only.
TEST(Optimizer, HasARuleForEveryName) {
  for (const std::string& word : config::all_words<Name>()) {
    const config::OptimizerConfig config{.name = *config::from_word<Name>(word)};
    EXPECT_FALSE(make_update_rule(config)->slots().empty()) << word;
  }
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  Tensor used = torch::ones({1}).requires_grad_(true), idle = torch::ones({1}).requires_grad_(true);
  Optimizer optimizer({.weight_decay = 0.5}, {{.parameters = {used, idle}}},
                      {{"used", used}, {"idle", idle}});
  used.sum().backward();
  optimizer.step(1);
  EXPECT_EQ(idle.item<double>(), 1);
  EXPECT_LT(used.item<double>(), 1);
}

TEST(Optimizer, RefusesATensorInTwoGroups) {
  Tensor a = torch::ones({1}).requires_grad_(true);
  EXPECT_THROW(Optimizer({}, {{.parameters = {a}}, {.parameters = {a}}}, {{"a", a}}),
               std::logic_error);
}

}  // namespace
}  // namespace avbench::train
