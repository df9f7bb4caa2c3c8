#include "avbench/method.h"

#include <torch/types.h>

namespace avbench {

Method::Method(const MethodContext& context)
    : towers_(register_module("towers", context.towers)), params_(context.params) {}

Method::~Method() = default;

Tensor Method::fuse(const Tensor& video, const Tensor& audio) {
  return torch::cat({video, audio}, 1);
}

Pair Method::embed(const Features& features) { return pooled(features); }

Towers& Method::evaluation_towers() { return *towers_; }

std::vector<ParamGroup> Method::param_groups(Stage stage) {
  if (stage == Stage::kFinetune) return {{evaluation_towers().parameters()}};
  ParamGroup trained;
  for (const Tensor& parameter : parameters()) {
    if (parameter.requires_grad()) trained.parameters.push_back(parameter);
  }
  return {trained};
}

void Method::before_epoch(const EpochContext&, const BatchSource&) {}
void Method::after_backward(const StepContext&) {}
void Method::after_step(const StepContext&) {}

Diagnostics Method::diagnostics(const Features&) { return {}; }

}  // namespace avbench
