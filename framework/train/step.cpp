#include "train/step.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "runtime/trace.h"
#include "tensors/seeds.h"

namespace avbench::train {
namespace {

void require_finite(const char* what, double value) {
  if (!std::isfinite(value)) throw NotFinite(what, value);
}

// A method may have made a part on another device than its loss.
StepOutcome read(const Loss& loss, const Tensor& gradient_norm) {
  const c10::Device device = loss.total.device();
  std::vector<Tensor> values = {loss.total, gradient_norm};
  for (const auto& [name, part] : loss.parts) values.push_back(part);
  for (Tensor& value : values) value = value.detach().to(device, at::kDouble).reshape({});
  const Tensor all = at::stack(values).cpu();
  const auto numbers = all.accessor<double, 1>();
  StepOutcome outcome{.loss = numbers[0], .gradient_norm = numbers[1]};
  for (size_t i = 0; i < loss.parts.size(); ++i) {
    outcome.parts.emplace_back(loss.parts[i].first, numbers[static_cast<int64_t>(i) + 2]);
  }
  return outcome;
}

}  // namespace

Trainable::~Trainable() = default;

NotFinite::NotFinite(const char* what, double value)
    : std::runtime_error(fmt::format("the {} is {}", what, value)),
      quantity_(what),
      value_(value) {}

at::Generator step_generator(uint64_t seed, int64_t step) {
  return tensors::make_generator(tensors::derive_seed(seed, "step", step));
}

TrainingStep::TrainingStep(Trainable& trained, Optimizer& optimizer, double clip_norm)
    : trained_(trained), optimizer_(optimizer), clip_norm_(clip_norm) {}

StepOutcome TrainingStep::run(const data::LoadedBatch& batch, const StepContext& context,
                              double lr_scale) const {
  const Loss loss = forward(batch, context);
  backward(loss);
  StepOutcome outcome = read(loss, gradient_norm(context));
  require_finite("loss", outcome.loss);
  require_finite("gradient's norm", outcome.gradient_norm);
  optimizer_.clip_gradients(outcome.gradient_norm, clip_norm_);
  update(context, lr_scale);
  return outcome;
}

Loss TrainingStep::forward(const data::LoadedBatch& batch, const StepContext& context) const {
  trained_.set_training();
  optimizer_.zero_grad();
  const runtime::TracePhase phase(step_phase::kLoss);
  return trained_.loss(batch, context);
}

void TrainingStep::backward(const Loss& loss) {
  const runtime::TracePhase phase(step_phase::kBackward);
  loss.total.backward();
}

Tensor TrainingStep::gradient_norm(const StepContext& context) const {
  {
    const runtime::TracePhase phase(step_phase::kHooks);
    trained_.after_backward(context);
  }
  const runtime::TracePhase phase(step_phase::kOptimizer);
  return optimizer_.gradient_norm();
}

double TrainingStep::clip(const StepContext& context) const {
  const auto norm = gradient_norm(context).item<double>();
  optimizer_.clip_gradients(norm, clip_norm_);
  return norm;
}

void TrainingStep::update(const StepContext& context, double lr_scale) const {
  {
    const runtime::TracePhase phase(step_phase::kOptimizer);
    optimizer_.step(lr_scale);
  }
  const runtime::TracePhase phase(step_phase::kHooks);
  trained_.after_step(context);
}

}  // namespace avbench::train
