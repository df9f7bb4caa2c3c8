// The interface of a method: its pretext loss, and the heads and state that the loss needs.
#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "avbench/batch.h"
#include "avbench/context.h"
#include "avbench/export.h"
#include "avbench/towers.h"

namespace avbench {

enum class Stage { kPretrain, kFinetune };

struct ParamGroup {
  std::vector<Tensor> parameters;
  double lr_scale = 1;
  std::optional<double> weight_decay;  // default: the configuration's
  bool constant_lr = false;            // not touched by the schedule
};

// What a method can say about its own state, asked for once an epoch on validation data.
struct Diagnostics {
  std::vector<std::pair<std::string, double>> metrics;  // logged by name
  std::string collapse;  // why the run counts as collapsed; empty: it does not
};

// All state is registered (parameters, buffers, submodules): what is not cannot be checkpointed.
class AVBENCH_EXPORT Method : public torch::nn::Module {
 public:
  explicit Method(const MethodContext& context);
  ~Method() override;

  // The pretext loss of one batch. With context.training == false it changes no state.
  virtual Loss loss(const Batch& batch, const StepContext& context) = 0;

  // What finetuning sees: [B, D] each -> [B, F]. Default: concatenation. Without batch norm: its
  // running statistics would not be re-estimated before evaluation.
  virtual Tensor fuse(const Tensor& video, const Tensor& audio);

  // Both modalities in the method's common space, [B, E] each: retrieval, collapse detection.
  // Default: the pooled features.
  virtual Pair embed(const Features& features);

  // What finetuning starts from. Default: the trained towers.
  virtual Towers& evaluation_towers();

  // What is trained. Default: pretraining, every parameter that requires a gradient; finetuning,
  // the evaluation towers (a method whose fuse() has parameters adds those).
  virtual std::vector<ParamGroup> param_groups(Stage stage);

  // In evaluation mode.
  virtual void before_epoch(const EpochContext& context, const BatchSource& samples);
  virtual void after_backward(const StepContext& context);  // gradients are ready
  virtual void after_step(const StepContext& context);      // weights have moved: EMA, queue, bank

  // In evaluation mode, without gradients; `features` of validation samples.
  virtual Diagnostics diagnostics(const Features& features);

  Towers& towers() { return *towers_; }

 protected:
  std::shared_ptr<Towers> towers_;  // registered as "towers"
  const Params params_;             // as in the context
};

}  // namespace avbench
