// One method in pretraining, driven as the host drives it, on small towers and the suite's samples.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "avbench/method.h"
#include "plugin/load.h"
#include "tensors/state_dict.h"
#include "train/optimizer.h"
#include "train/step.h"

namespace avbench::check {

// What is examined.
struct PluginUnderTest {
  plugin::LoadedPlugin plugin;
  Params params;

  const MethodPlugin& record() const { return *plugin.record; }
};

// The plugin's method on an R3D of width 2, as pretraining creates it. Throws as
// construct_method() does.
std::shared_ptr<Method> create_method(const PluginUnderTest& plugin, uint64_t head_seed = 0);

struct HarnessOptions {
  at::ScalarType type = at::kFloat;  // of parameters, buffers and samples
  uint64_t outside_seed = 0;         // of every generator but the context's
  uint64_t head_seed = 0;            // of the method's initial state
  bool freeze_towers = false;        // their batch norm uses running statistics
  Communicator* group = nullptr;     // null: one process
  c10::Device device = c10::kCPU;    // of parameters and buffers; batches are taken there
};

class MethodHarness {
 public:
  explicit MethodHarness(const PluginUnderTest& plugin, const HarnessOptions& options = {});

  // A step (train/step.h) in three parts, in this order; several processes average their gradients
  // before the last. The first step of all visits the training split before, if the method wants
  // to. What is not finite does not stop it: that is for the properties to find.
  Loss loss(const Batch& batch);
  static void backward(const Loss& loss) { train::TrainingStep::backward(loss); }
  void update();

  // A whole step on its own batch; gives the loss.
  Loss train_step();
  void train_steps(int64_t count);

  // The loss with training == false, and everything else that is asked of a method in evaluation.
  Loss evaluate(const Batch& batch);

  // The batch of the step that comes next.
  Batch next_batch() const;
  Batch batch_of(int64_t step) const;

  Method& method() { return *method_; }
  int64_t step() const { return step_; }
  at::ScalarType type() const { return options_.type; }
  const Views& views() const { return views_; }

  // Parameters in groups, in their order.
  const std::vector<Tensor>& trained() const { return trained_; }
  // Their gradients in one row, zeros where there is none.
  Tensor gradient() const;

  // Parameters, buffers and the optimiser's tensors; the tensors are the live ones.
  tensors::StateDict state() const;
  // Goes on from a saved state() as if it had come there itself.
  void resume(const tensors::StateDict& state, int64_t step);

 private:
  Communicator& group() { return options_.group ? *options_.group : alone_; }
  StepContext make_context(bool training);
  train::TrainingStep training_step();
  void visit_training_split();

  HarnessOptions options_;
  Communicator alone_;
  Views views_;
  std::shared_ptr<Method> method_;
  std::unique_ptr<train::Trainable> trainable_;  // the method, to a step
  std::vector<Tensor> trained_;
  std::optional<train::Optimizer> optimizer_;
  std::optional<StepContext> context_;  // of the running step
  int64_t step_ = 0;
};

// Copies of a state, and the first name whose values differ in any bit, empty if none does.
tensors::StateDict copy_of(const tensors::StateDict& state);
std::string first_difference(const tensors::StateDict& a, const tensors::StateDict& b);

}  // namespace avbench::check
