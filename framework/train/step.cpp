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
  StepOutcome outcome{.loss = forward(batch, context)};
  outcome.loss_value = outcome.loss.total.item<double>();
  require_finite("loss", outcome.loss_value);
  backward(outcome.loss);
  outcome.gradient_norm = clip(context);
  require_finite("gradient's norm", outcome.gradient_norm);
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

double TrainingStep::clip(const StepContext& context) const {
  {
    const runtime::TracePhase phase(step_phase::kHooks);
    trained_.after_backward(context);
  }
  const runtime::TracePhase phase(step_phase::kOptimizer);
  return optimizer_.clip_gradients(clip_norm_);
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
