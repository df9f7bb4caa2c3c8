#include "train/step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "tensors/seeds.h"

namespace avbench::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Row = std::vector<double>;

double norm_of(const Tensor& gradient) { return gradient.norm().item<double>(); }

// The mean over rows x of (w x + b)^2, in float64; says what a step calls, in order.
class Squares : public Trainable {
 public:
  void set_training() override { calls.emplace_back("set_training"); }
  Loss loss(const data::LoadedBatch& batch, const StepContext& context) override {
    calls.emplace_back(weight.grad().defined() ? "loss with old gradients" : "loss");
    const Tensor out = batch.batch.video.at(kBaseView).matmul(weight) + bias;
    const Tensor total = out.pow(2).mean();
    return {total * factor, {{"step", torch::tensor(static_cast<double>(context.step))}}};
  }
  void after_backward(const StepContext&) override {
    calls.emplace_back("after_backward");
    norm_in_hook = std::hypot(norm_of(weight.grad()), norm_of(bias.grad()));
    weight_in_hook = weight.detach().clone();
  }
  void after_step(const StepContext&) override {
    calls.emplace_back(torch::equal(weight, weight_in_hook) ? "after_step too early"
                                                            : "after_step");
  }

  std::vector<ParamGroup> groups() { return {{.parameters = {weight, bias}}}; }
  std::map<std::string, Tensor> names() { return {{"weight", weight}, {"bias", bias}}; }

  Tensor weight = torch::tensor({0.5, -1.0, 2.0}, torch::kDouble).requires_grad_(true);
  Tensor bias = torch::tensor({0.25}, torch::kDouble).requires_grad_(true);
  double factor = 1;
  std::vector<std::string> calls;
  double norm_in_hook = 0;
  Tensor weight_in_hook;
};

const std::vector<Row> kRows = {{1, 2, -1}, {0.5, -3, 2}, {2, 0.25, 1}, {-1, 1, 0.75}};

data::LoadedBatch batch_of_rows() {
  data::LoadedBatch batch;
  std::vector<Tensor> rows;
  for (const Row& row : kRows) rows.push_back(torch::tensor(row, torch::kDouble));
  batch.batch.video[kBaseView] = torch::stack(rows);
  return batch;
}

// The same as loops over numbers: weight and bias are one row of four.
struct NaiveSgd {
  double lr, momentum, weight_decay, clip_norm;
  Row parameters = {0.5, -1, 2, 0.25}, velocity = {0, 0, 0, 0};
  double loss = 0, norm = 0;

  Row gradient() {
    Row sum(4, 0.0);
    loss = 0;
    for (const Row& x : kRows) {
      double out = parameters[3];
      for (size_t i = 0; i < 3; ++i) out += parameters[i] * x[i];
      loss += out * out / 4;
      for (size_t i = 0; i < 3; ++i) sum[i] += 2 * out * x[i] / 4;
      sum[3] += 2 * out / 4;
    }
    return sum;
  }

  void step() {
    Row g = gradient();
    double squares = 0;
    for (const double value : g) squares += value * value;
    norm = std::sqrt(squares);
    const double shrink = clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1;
    for (size_t i = 0; i < 4; ++i) {
      velocity[i] = momentum * velocity[i] + shrink * g[i] + weight_decay * parameters[i];
      parameters[i] -= lr * velocity[i];
    }
  }
};

class Step : public testing::Test {
 protected:
  StepContext context(int64_t step) {
    return {.step = step, .random = step_generator(1, step), .group = alone_};
  }

  static constexpr config::OptimizerConfig kSgd{.lr = 0.02, .momentum = 0.8, .weight_decay = 0.03};
  Communicator alone_;
};

TEST_F(Step, MovesParametersAsALoopOverNumbersDoes) {
  for (const double clip_norm : {0.0, 1.5, 1e6}) {
    Squares task;
    Optimizer optimizer(kSgd, task.groups(), task.names());
    const TrainingStep step(task, optimizer, clip_norm);
    NaiveSgd naive{.lr = 0.02 * 0.5, .momentum = 0.8, .weight_decay = 0.03, .clip_norm = clip_norm};
    for (int64_t i = 0; i < 4; ++i) {
      const StepOutcome outcome = step.run(batch_of_rows(), context(i), /*lr_scale=*/0.5);
      naive.step();
      EXPECT_NEAR(outcome.loss, naive.loss, 1e-12);
      EXPECT_NEAR(outcome.gradient_norm, naive.norm, 1e-12);
      EXPECT_EQ(outcome.parts, (std::vector<std::pair<std::string, double>>{{"step", i}}));
      for (int64_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(task.weight[k].item<double>(), naive.parameters[k], 1e-12) << clip_norm;
      }
      EXPECT_NEAR(task.bias.item<double>(), naive.parameters[3], 1e-12) << clip_norm;
    }
  }
}

TEST_F(Step, CallsItsHooksBetweenGradientsAndParameters) {
  Squares task;
  Optimizer optimizer(kSgd, task.groups(), task.names());
  const TrainingStep step(task, optimizer, /*clip_norm=*/0.1);
  NaiveSgd naive{.lr = 0.02, .momentum = 0.8, .weight_decay = 0.03, .clip_norm = 0.1};
  for (int64_t i = 0; i < 2; ++i) {
    task.calls.clear();
    step.run(batch_of_rows(), context(i), 1);
    naive.step();
    EXPECT_THAT(task.calls, ElementsAre("set_training", "loss", "after_backward", "after_step"));
    EXPECT_NEAR(task.norm_in_hook, naive.norm, 1e-12);  // not yet clipped
    EXPECT_NEAR(std::hypot(norm_of(task.weight.grad()), norm_of(task.bias.grad())), 0.1, 1e-12);
  }
}

TEST_F(Step, InPartsIsTheSameStep) {
  Squares whole, parts;
  Optimizer of_whole(kSgd, whole.groups(), whole.names());
  Optimizer of_parts(kSgd, parts.groups(), parts.names());
  const TrainingStep one(whole, of_whole, 1), other(parts, of_parts, 1);
  for (int64_t i = 0; i < 3; ++i) {
    const StepOutcome outcome = one.run(batch_of_rows(), context(i), 1);
    const StepContext context = this->context(i);
    const Loss loss = other.forward(batch_of_rows(), context);
    TrainingStep::backward(loss);
    EXPECT_EQ(other.clip(context), outcome.gradient_norm);
    other.update(context, 1);
    EXPECT_EQ(loss.total.item<double>(), outcome.loss);
    EXPECT_TRUE(torch::equal(whole.weight, parts.weight));
    EXPECT_TRUE(torch::equal(whole.bias, parts.bias));
  }
}

TEST_F(Step, StopsAtALossThatIsNotFiniteBeforeAnyParameterMoves) {
  Squares task;
  task.factor = std::nan("");
  Optimizer optimizer(kSgd, task.groups(), task.names());
  try {
    TrainingStep(task, optimizer, 1).run(batch_of_rows(), context(0), 1);
    FAIL() << "went on";
  } catch (const NotFinite& fault) {
    EXPECT_STREQ(fault.quantity(), "loss");
    EXPECT_TRUE(std::isnan(fault.value()));
    EXPECT_THAT(fault.what(), HasSubstr("the loss is"));
  }
  EXPECT_THAT(task.calls, ElementsAre("set_training", "loss", "after_backward"));
  EXPECT_TRUE(torch::equal(task.weight, Squares().weight));
}

// The root of 0 is finite, its slope is not.
class Root : public Trainable {
 public:
  void set_training() override {}
  Loss loss(const data::LoadedBatch&, const StepContext&) override { return {weight.sqrt().sum()}; }
  void after_step(const StepContext&) override { FAIL() << "stepped"; }
  Tensor weight = torch::zeros({2}, torch::kDouble).requires_grad_(true);
};

TEST_F(Step, StopsAtAGradientThatIsNotFiniteBeforeAnyParameterMoves) {
  Root task;
  Optimizer optimizer(kSgd, {{.parameters = {task.weight}}}, {{"weight", task.weight}});
  EXPECT_THAT([&] { TrainingStep(task, optimizer, 1).run({}, context(0), 1); },
              testing::ThrowsMessage<NotFinite>(HasSubstr("the gradient's norm is inf")));
  EXPECT_TRUE(torch::equal(task.weight, torch::zeros({2}, torch::kDouble)));
}

TEST(StepGenerator, DependsOnSeedAndStepAlone) {
  const auto draw = [](uint64_t seed, int64_t step) {
    return torch::rand({8}, step_generator(seed, step));
  };
  EXPECT_TRUE(torch::equal(draw(3, 7), draw(3, 7)));
  EXPECT_TRUE(torch::equal(
      draw(3, 7), torch::rand({8}, tensors::make_generator(tensors::derive_seed(3, "step", 7)))));
  EXPECT_FALSE(torch::equal(draw(3, 7), draw(3, 8)));
  EXPECT_FALSE(torch::equal(draw(3, 7), draw(4, 7)));
}

}  // namespace
}  // namespace avbench::train
