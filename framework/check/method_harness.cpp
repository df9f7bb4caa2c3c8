#include "check/method_harness.h"

#include <ATen/ATen.h>

#include <cstdlib>
#include <numeric>
#include <utility>

#include "check/samples.h"
#include "device/place.h"
#include "encoders/two_towers.h"
#include "plugin/failure.h"
#include "tensors/seeds.h"
#include "train/stage_checkpoints.h"

namespace avbench::check {
namespace {

constexpr uint64_t kSeed = 20;
constexpr int64_t kTotalSteps = 100;
constexpr int64_t kStepsPerEpoch = 20;
constexpr double kClipNorm = 1;
constexpr int64_t kVisitedAtOnce = 64;

const config::OptimizerConfig kOptimizer = {.lr = 0.01};

// Not Module::to(): it would turn counters and positions into floating-point numbers too.
void convert(torch::nn::Module& module, at::ScalarType type) {
  const auto convert_tensor = [type](const Tensor& tensor) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(type));
  };
  for (const Tensor& parameter : module.parameters()) convert_tensor(parameter);
  for (const Tensor& buffer : module.buffers()) convert_tensor(buffer);
}

// A method as a step sees it.
class TrainedMethod : public train::Trainable {
 public:
  TrainedMethod(std::shared_ptr<Method> method, bool freeze_towers)
      : method_(std::move(method)), freeze_towers_(freeze_towers) {}

  void set_training() override {
    method_->train();
    if (!freeze_towers_) return;
    for (const auto& module : method_->modules()) {  // momentum copies are among them
      if (module->as<Towers>()) module->eval();
    }
  }
  Loss loss(const data::LoadedBatch& batch, const StepContext& context) override {
    return method_->loss(batch.batch, context);
  }
  void after_backward(const StepContext& context) override { method_->after_backward(context); }
  void after_step(const StepContext& context) override { method_->after_step(context); }

 private:
  std::shared_ptr<Method> method_;
  bool freeze_towers_;
};

}  // namespace

std::shared_ptr<Method> create_method(const PluginUnderTest& plugin, uint64_t head_seed) {
  head_seed = tensors::derive_seed(kSeed, "heads", head_seed);
  const MethodContext context{
      .towers = encoders::make_towers({.width = 2}, tensors::derive_seed(kSeed, "towers")),
      .params = plugin.params,
      .train_size = kTrainSize,
      .head_seed = head_seed};
  tensors::seed_default_generator(head_seed);
  return plugin::construct_method(plugin.plugin, context, "");
}

MethodHarness::MethodHarness(const PluginUnderTest& plugin, const HarnessOptions& options)
    : options_(options),
      views_(plugin.record().views(plugin.params)),
      method_(create_method(plugin, options.head_seed)),
      trainable_(std::make_unique<TrainedMethod>(method_, options.freeze_towers)) {
  convert(*method_, options_.type);
  device::place(*method_, options_.device);
  const std::vector<ParamGroup> groups = method_->param_groups(Stage::kPretrain);
  for (const ParamGroup& group : groups) {
    trained_.insert(trained_.end(), group.parameters.begin(), group.parameters.end());
  }
  optimizer_.emplace(kOptimizer, groups, tensors::module_state(*method_));
}

StepContext MethodHarness::make_context(bool training) {
  return {.step = step_,
          .total_steps = kTotalSteps,
          .epoch = static_cast<double>(step_) / kStepsPerEpoch,
          .training = training,
          .random = train::step_generator(kSeed, step_),
          .group = group()};
}

train::TrainingStep MethodHarness::training_step() { return {*trainable_, *optimizer_, kClipNorm}; }

void MethodHarness::visit_training_split() {
  method_->eval();
  const EpochContext context{
      .total_epochs = kTotalSteps / kStepsPerEpoch,
      .random = tensors::make_generator(tensors::derive_seed(kSeed, "epoch")),
      .group = group()};
  method_->before_epoch(context, [this](const std::function<void(const Batch&)>& visit) {
    for (int64_t first = 0; first < kTrainSize; first += kVisitedAtOnce) {
      std::vector<int64_t> indices(kVisitedAtOnce);
      std::iota(indices.begin(), indices.end(), first);
      visit(device::batch_on(options_.device, samples(views_, indices, options_.type)));
    }
  });
}

Loss MethodHarness::loss(const Batch& batch) {
  tensors::seed_default_generator(tensors::derive_seed(options_.outside_seed, "outside", step_));
  std::srand(static_cast<unsigned>(tensors::derive_seed(options_.outside_seed, "libc", step_)));
  if (step_ == 0) visit_training_split();
  context_.emplace(make_context(/*training=*/true));
  return training_step().forward({.batch = device::batch_on(options_.device, batch)}, *context_);
}

void MethodHarness::update() {
  training_step().clip(*context_);
  training_step().update(*context_, /*lr_scale=*/1);
  context_.reset();
  ++step_;
}

Loss MethodHarness::train_step() {
  Loss result = loss(next_batch());
  backward(result);
  update();
  return result;
}

void MethodHarness::train_steps(int64_t count) {
  for (int64_t i = 0; i < count; ++i) train_step();
}

Loss MethodHarness::evaluate(const Batch& batch) {
  const at::NoGradGuard no_grad;
  method_->eval();
  const Features features = method_->towers().forward(batch);
  method_->embed(features);
  method_->fuse(features.video.pooled, features.audio.pooled);
  method_->diagnostics(features);
  Loss result = method_->loss(batch, make_context(/*training=*/false));
  trainable_->set_training();
  return result;
}

Batch MethodHarness::batch_of(int64_t step) const {
  return step_batch(views_, step, options_.type);
}
Batch MethodHarness::next_batch() const { return batch_of(step_); }

Tensor MethodHarness::gradient() const {
  std::vector<Tensor> rows;
  for (const Tensor& parameter : trained_) {
    const Tensor& grad = parameter.grad();
    rows.push_back((grad.defined() ? grad : at::zeros_like(parameter)).flatten().to(at::kDouble));
  }
  return rows.empty() ? at::zeros({0}, at::kDouble) : at::cat(rows);
}

tensors::StateDict MethodHarness::state() const {
  tensors::StateDict state = tensors::module_state(*method_);
  for (const auto& [name, tensor] : optimizer_->state())
    state[train::kOptimizerPrefix + name] = tensor;
  return state;
}

void MethodHarness::resume(const tensors::StateDict& saved, int64_t step) {
  tensors::copy_state(saved, state(), "the checkpoint");
  step_ = step;
}

tensors::StateDict copy_of(const tensors::StateDict& state) {
  tensors::StateDict copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.detach().clone();
  return copy;
}

std::string first_difference(const tensors::StateDict& a, const tensors::StateDict& b) {
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    if (other == b.end() || !at::equal(tensor, other->second)) return name;
  }
  return a.size() == b.size() ? "" : "the number of tensors";
}

}  // namespace avbench::check
