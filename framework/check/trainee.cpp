#include "check/trainee.h"

#include <ATen/ATen.h>

#include <cstdlib>
#include <numeric>

#include "check/samples.h"
#include "encoders/two_towers.h"
#include "plugin/failure.h"
#include "train/seeds.h"

namespace avbench {
namespace {

constexpr uint64_t kSeed = 20;
constexpr int64_t kTotalSteps = 100;
constexpr int64_t kStepsPerEpoch = 20;
constexpr double kClipNorm = 1;
constexpr int64_t kVisitedAtOnce = 64;
constexpr const char* kOptimizerPrefix = "optimizer/";

const OptimizerConfig kOptimizer = {.lr = 0.01};

// Not Module::to(): it would turn counters and positions into floating-point numbers too.
void convert(torch::nn::Module& module, at::ScalarType type) {
  const auto convert_tensor = [type](const Tensor& tensor) {
    if (tensor.is_floating_point()) tensor.set_data(tensor.to(type));
  };
  for (const Tensor& parameter : module.parameters()) convert_tensor(parameter);
  for (const Tensor& buffer : module.buffers()) convert_tensor(buffer);
}

}  // namespace

std::shared_ptr<Method> create_method(const Subject& subject, uint64_t head_seed) {
  head_seed = derive_seed(kSeed, "heads", head_seed);
  const MethodContext context{.towers = make_towers({.width = 2}, derive_seed(kSeed, "towers")),
                              .params = subject.params,
                              .train_size = kTrainSize,
                              .head_seed = head_seed};
  seed_default_generator(head_seed);
  return construct_method(subject.plugin, context, "");
}

Trainee::Trainee(const Subject& subject, const TraineeOptions& options)
    : options_(options),
      views_(subject.record().views(subject.params)),
      method_(create_method(subject, options.head_seed)) {
  convert(*method_, options_.type);
  const std::vector<ParamGroup> groups = method_->param_groups(Stage::kPretrain);
  for (const ParamGroup& group : groups) {
    trained_.insert(trained_.end(), group.parameters.begin(), group.parameters.end());
  }
  optimizer_.emplace(kOptimizer, groups, module_state(*method_));
}

StepContext Trainee::make_context(bool training) {
  return {.step = step_,
          .total_steps = kTotalSteps,
          .epoch = static_cast<double>(step_) / kStepsPerEpoch,
          .training = training,
          .random = make_generator(derive_seed(kSeed, "step", step_)),
          .group = group()};
}

void Trainee::set_training() {
  method_->train();
  if (!options_.freeze_towers) return;
  for (const auto& module : method_->modules()) {  // momentum copies are among them
    if (module->as<Towers>()) module->eval();
  }
}

void Trainee::visit_training_split() {
  method_->eval();
  const EpochContext context{.total_epochs = kTotalSteps / kStepsPerEpoch,
                             .random = make_generator(derive_seed(kSeed, "epoch")),
                             .group = group()};
  method_->before_epoch(context, [this](const std::function<void(const Batch&)>& visit) {
    for (int64_t first = 0; first < kTrainSize; first += kVisitedAtOnce) {
      std::vector<int64_t> indices(kVisitedAtOnce);
      std::iota(indices.begin(), indices.end(), first);
      visit(samples(views_, indices, options_.type));
    }
  });
}

Loss Trainee::loss(const Batch& batch) {
  seed_default_generator(derive_seed(options_.outside_seed, "outside", step_));
  std::srand(static_cast<unsigned>(derive_seed(options_.outside_seed, "libc", step_)));
  if (step_ == 0) visit_training_split();
  context_.emplace(make_context(/*training=*/true));
  set_training();
  optimizer_->zero_grad();
  return method_->loss(batch, *context_);
}

void Trainee::backward(const Loss& loss) { loss.total.backward(); }

void Trainee::update() {
  method_->after_backward(*context_);
  optimizer_->clip_gradients(kClipNorm);
  optimizer_->step(1);
  method_->after_step(*context_);
  context_.reset();
  ++step_;
}

Loss Trainee::train_step() {
  Loss result = loss(next_batch());
  backward(result);
  update();
  return result;
}

void Trainee::train_steps(int64_t count) {
  for (int64_t i = 0; i < count; ++i) train_step();
}

Loss Trainee::evaluate(const Batch& batch) {
  const at::NoGradGuard no_grad;
  method_->eval();
  const Features features = method_->towers().forward(batch);
  method_->embed(features);
  method_->fuse(features.video.pooled, features.audio.pooled);
  method_->health(features);
  Loss result = method_->loss(batch, make_context(/*training=*/false));
  set_training();
  return result;
}

Batch Trainee::batch_of(int64_t step) const { return step_batch(views_, step, options_.type); }
Batch Trainee::next_batch() const { return batch_of(step_); }

Tensor Trainee::gradient() const {
  std::vector<Tensor> rows;
  for (const Tensor& parameter : trained_) {
    const Tensor& grad = parameter.grad();
    rows.push_back((grad.defined() ? grad : at::zeros_like(parameter)).flatten().to(at::kDouble));
  }
  return rows.empty() ? at::zeros({0}, at::kDouble) : at::cat(rows);
}

StateDict Trainee::state() const {
  StateDict state = module_state(*method_);
  for (const auto& [name, tensor] : optimizer_->state()) state[kOptimizerPrefix + name] = tensor;
  return state;
}

void Trainee::resume(const StateDict& saved, int64_t step) {
  copy_state(saved, state(), "the checkpoint");
  step_ = step;
}

StateDict copy_of(const StateDict& state) {
  StateDict copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.detach().clone();
  return copy;
}

std::string first_difference(const StateDict& a, const StateDict& b) {
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    if (other == b.end() || !at::equal(tensor, other->second)) return name;
  }
  return a.size() == b.size() ? "" : "the number of tensors";
}

}  // namespace avbench
