// What finetuning trains: the towers, the method's fusion, and the classifier's two layers.
#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <memory>
#include <string>

#include "avbench/method.h"
#include "config/finetune_config.h"
#include "config/modalities.h"
#include "plugin/failure.h"
#include "tensors/state_dict.h"

namespace avbench::stages {

// A supervised baseline: the towers alone, fused by concatenation. It has no pretext loss.
std::shared_ptr<Method> make_baseline(std::shared_ptr<Towers> towers);

struct Logits {
  Tensor values;        // [B, classes]
  Tensor features;      // [B, F], what the classifier's first layer saw
  Tensor video, audio;  // [B, D] of the towers; undefined where not seen
};

class Classifier {
 public:
  // On the device of the method. The head's initial weights depend on `head_seed` alone. What the
  // method throws names `origin`.
  Classifier(std::shared_ptr<Method> method, config::Modalities modality,
             const config::FinetuneConfig& config, int64_t classes, uint64_t head_seed,
             plugin::MethodOrigin origin = {});

  Logits forward(const Batch& batch);

  // Frozen scope: towers and fusion stay in evaluation mode.
  void set_training();
  void set_evaluation();

  // Frozen scope only: the classifier sees (features - mean) / std, per dimension, from now on.
  void standardise(const Tensor& mean, const Tensor& std);

  bool frozen() const { return frozen_; }
  Method& method() { return *method_; }
  Towers& towers();

  std::vector<ParamGroup> param_groups();

  // The method's tensors under their own names, the classifier's under "head.".
  tensors::StateDict state();

 private:
  Tensor fused(const Features& features);

  std::shared_ptr<Method> method_;
  plugin::MethodOrigin origin_;
  config::Modalities modality_;
  bool frozen_, concat_;
  torch::nn::Sequential head_{nullptr};
  Tensor mean_, std_;  // [F]; of the frozen scope
};

}  // namespace avbench::stages
