#include "stages/classifier.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/linear.h>

#include "device/place.h"
#include "tensors/seeds.h"

namespace avbench::stages {
namespace nn = torch::nn;
namespace {

class Baseline : public Method {
 public:
  using Method::Method;
  Loss loss(const Batch&, const StepContext&) override {
    throw std::logic_error("a supervised baseline has no pretext loss");
  }
};

// Draws on the CPU wherever its input is, so that a seed drops the same features on every device.
class Dropout : public nn::Module {
 public:
  explicit Dropout(double share) : share_(share) {}

  Tensor forward(const Tensor& x) {
    if (!is_training() || x.device().is_cpu()) return at::dropout(x, share_, is_training());
    const Tensor kept = at::empty_like(x, at::kCPU).bernoulli_(1 - share_);
    return x * kept.div_(1 - share_).to(x.device());
  }

 private:
  double share_;
};

// Linear -> ReLU -> dropout -> linear, or one linear layer (hidden 0).
nn::Sequential make_head(int64_t features, int64_t classes, const config::FinetuneConfig& config) {
  nn::Sequential head;
  if (config.hidden > 0) {
    head->push_back("fc1", nn::Linear(features, config.hidden));
    head->push_back("relu", nn::ReLU());
    features = config.hidden;
  }
  if (config.dropout > 0) head->push_back("dropout", Dropout(config.dropout));
  head->push_back("fc", nn::Linear(features, classes));
  return head;
}

}  // namespace

std::shared_ptr<Method> make_baseline(std::shared_ptr<Towers> towers) {
  return std::make_shared<Baseline>(MethodContext{.towers = std::move(towers)});
}

Classifier::Classifier(std::shared_ptr<Method> method, config::Modalities modality,
                       const config::FinetuneConfig& config, int64_t classes, uint64_t head_seed,
                       plugin::MethodOrigin origin)
    : method_(std::move(method)),
      origin_(std::move(origin)),
      modality_(modality),
      frozen_(config.scope == config::FinetuneConfig::Scope::kFrozen),
      concat_(config.fusion == config::FinetuneConfig::Fusion::kConcat) {
  const int64_t dim = towers().feature_dim();
  const auto on_device = towers().parameters().front().options();
  Features empty;
  if (modality != config::Modalities::kAudio) empty.video.pooled = at::zeros({2, dim}, on_device);
  if (modality != config::Modalities::kVideo) {
    empty.audio.pooled = at::zeros({2, dim}, on_device);
  }
  const int64_t width = [&] {
    const at::NoGradGuard no_grad;
    method_->eval();
    return fused(empty).size(1);
  }();
  tensors::seed_default_generator(head_seed);
  head_ = make_head(width, classes, config);
  device::place(*head_, on_device.device());
  mean_ = at::zeros({width}, on_device);
  std_ = at::ones({width}, on_device);
  for (const ParamGroup& group : param_groups()) {
    for (const Tensor& parameter : group.parameters) parameter.requires_grad_(true);
  }
}

Towers& Classifier::towers() {
  return *origin_.call("evaluation_towers", [&] { return &method_->evaluation_towers(); });
}

Tensor Classifier::fused(const Features& features) {
  if (modality_ == config::Modalities::kVideo) return features.video.pooled;
  if (modality_ == config::Modalities::kAudio) return features.audio.pooled;
  if (concat_) return at::cat({features.video.pooled, features.audio.pooled}, 1);
  return origin_.call("fuse", [&] {
    const Tensor& video = features.video.pooled;
    Tensor rows = method_->fuse(video, features.audio.pooled);
    TORCH_CHECK(rows.defined(), "it returned nothing, expected [B, F]");
    TORCH_CHECK(rows.dim() == 2 && rows.size(0) == video.size(0), "got ", rows.sizes(),
                ", expected [", video.size(0), ", F]");
    return rows;
  });
}

Logits Classifier::forward(const Batch& batch) {
  Features seen;
  Tensor features;
  {
    const at::AutoGradMode mode(at::GradMode::is_enabled() && !frozen_);
    seen = towers().forward(batch);
    features = fused(seen);
    if (frozen_) features = (features - mean_) / std_;
  }
  return {head_->forward(features), features, seen.video.pooled, seen.audio.pooled};
}

void Classifier::set_training() {
  method_->train(!frozen_);
  towers().train(!frozen_);
  head_->train();
}

void Classifier::set_evaluation() {
  method_->eval();
  towers().eval();
  head_->eval();
}

void Classifier::standardise(const Tensor& mean, const Tensor& std) {
  mean_.copy_(mean);
  // A feature that hardly varies says nothing: dividing by its deviation would blow up noise.
  const Tensor floor = std.max() * 1e-4;
  std_.copy_(at::where(std > floor, std, at::ones_like(std)));
}

std::vector<ParamGroup> Classifier::param_groups() {
  std::vector<ParamGroup> groups;
  if (!frozen_) {
    groups = origin_.call("param_groups", [&] { return method_->param_groups(Stage::kFinetune); });
  }
  groups.push_back({.parameters = head_->parameters()});
  return groups;
}

tensors::StateDict Classifier::state() {
  tensors::StateDict state = tensors::module_state(*method_);
  for (const auto& [name, tensor] : tensors::module_state(*head_)) state["head." + name] = tensor;
  state["head.feature_mean"] = mean_;
  state["head.feature_std"] = std_;
  return state;
}

}  // namespace avbench::stages
