// One training step: the same in the loop of a stage, in `avbench check` and in `avbench bench
// step`.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "avbench/context.h"
#include "avbench/method.h"
#include "data/loaded_batch.h"
#include "train/optimizer.h"

namespace avbench::train {

// The phases of a step, as traces, timings.jsonl and `avbench bench step` call them.
namespace step_phase {
inline constexpr const char* kData = "wait for data";
inline constexpr const char* kLoss = "loss";
inline constexpr const char* kBackward = "backward";
inline constexpr const char* kOptimizer = "optimizer";
inline constexpr const char* kHooks = "hooks";
}  // namespace step_phase

// What a step trains.
class Trainable {
 public:
  virtual ~Trainable();
  virtual void set_training() = 0;
  virtual Loss loss(const data::LoadedBatch& batch, const StepContext& context) = 0;
  virtual void after_backward(const StepContext&) {}  // gradients are ready, and not yet clipped
  virtual void after_step(const StepContext&) {}
};

// A loss, or the norm of a gradient, that is NaN or infinite.
class NotFinite : public std::runtime_error {
 public:
  NotFinite(const char* what, double value);
  const char* quantity() const { return quantity_; }  // "loss", "gradient's norm"
  double value() const { return value_; }

 private:
  const char* quantity_;
  double value_;
};

struct StepOutcome {
  double loss = 0;
  std::vector<std::pair<std::string, double>> parts;  // of the loss
  double gradient_norm = 0;                           // before clipping
};

// For StepContext::random: always the same for a given seed and step.
at::Generator step_generator(uint64_t seed, int64_t step);

// Keeps references to its arguments. Batches, seeds and the number of the step are the caller's.
class TrainingStep {
 public:
  TrainingStep(Trainable& trained, Optimizer& optimizer, double clip_norm);

  // The parts below in their order, and all numbers read at once: the only time that the step waits
  // for a device. Throws NotFinite before any parameter has moved.
  StepOutcome run(const data::LoadedBatch& batch, const StepContext& context,
                  double lr_scale) const;

  // For several processes, which average their gradients between backward() and clip().
  Loss forward(const data::LoadedBatch& batch, const StepContext& context) const;
  static void backward(const Loss& loss);
  double clip(const StepContext& context) const;  // gives the norm before; 0: clips nothing
  void update(const StepContext& context, double lr_scale) const;

 private:
  Tensor gradient_norm(const StepContext& context) const;
  Trainable& trained_;
  Optimizer& optimizer_;
  double clip_norm_;
};

}  // namespace avbench::train
