#include "train/optimizer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <functional>
#include <stdexcept>
#include <unordered_map>

#include "io/error.h"

namespace avbench {
namespace {

constexpr double kTrust = 1e-3;  // LARS's coefficient, as in the official BYOL and Barlow Twins

// The fused kernels walk raw memory, so a gradient must lie in memory as its parameter does.
at::Tensor gradient_like(const at::Tensor& parameter) {
  const at::Tensor& grad = parameter.grad();
  if (grad.strides() == parameter.strides()) return grad;
  return at::empty_like(parameter).copy_(grad);
}

}  // namespace

struct Optimizer::Active {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
};

Optimizer::Optimizer(const OptimizerConfig& config, const std::vector<ParamGroup>& groups,
                     const std::map<std::string, at::Tensor>& names)
    : config_(config) {
  if (config.nesterov && (config.name != "sgd" || config.momentum == 0)) {
    throw UserError("optimizer: nesterov needs sgd with a momentum above 0, got " + config.name +
                    (config.name == "sgd" ? " with momentum 0" : ""));
  }
  std::unordered_map<const void*, std::string> name_of;
  const auto add = [&](const ParamGroup& given, double weight_decay,
                       const std::function<bool(const at::Tensor&)>& belongs) {
    Group group{
        .lr_scale = given.lr_scale, .weight_decay = weight_decay, .constant_lr = given.constant_lr};
    for (const at::Tensor& parameter : given.parameters) {
      if (!belongs(parameter)) continue;
      const auto found = name_of.extract(parameter.unsafeGetTensorImpl());
      if (found.empty()) {
        throw std::logic_error(
            "a parameter group holds a tensor that is not registered or stands in two groups");
      }
      group.names.push_back(found.mapped());
      group.parameters.push_back(parameter);
      group.first.push_back(at::zeros_like(parameter));
      if (config.name == "adamw") {
        group.second.push_back(at::zeros_like(parameter));
        group.steps.push_back(at::zeros({}, at::kFloat));
      }
    }
    if (!group.parameters.empty()) groups_.push_back(std::move(group));
  };
  for (const auto& [name, tensor] : names) name_of.emplace(tensor.unsafeGetTensorImpl(), name);
  for (const ParamGroup& given : groups) {
    const double weight_decay = given.weight_decay.value_or(config.weight_decay);
    const auto is_matrix = [](const at::Tensor& parameter) { return parameter.dim() > 1; };
    if (config.decay_norms_and_biases || config.name == "lars") {
      add(given, weight_decay, [](const at::Tensor&) { return true; });
    } else {
      add(given, weight_decay, is_matrix);
      add(given, 0, std::not_fn(is_matrix));
    }
  }
}

Optimizer::Active Optimizer::active(const Group& group) {
  Active result;
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    if (!group.parameters[i].grad().defined()) continue;
    result.parameters.push_back(group.parameters[i]);
    result.gradients.push_back(gradient_like(group.parameters[i]));
    result.first.push_back(group.first[i]);
    if (group.second.empty()) continue;
    result.second.push_back(group.second[i]);
    result.steps.push_back(group.steps[i]);
  }
  return result;
}

// You, Gitman, Ginsburg, arXiv:1708.03888. What has one dimension (biases, scale and shift of a
// norm) is neither decayed nor adapted.
void Optimizer::lars_step(const Active& active, double lr, double weight_decay) const {
  for (size_t i = 0; i < active.parameters.size(); ++i) {
    const at::Tensor& parameter = active.parameters[i];
    at::Tensor update = active.gradients[i];
    if (parameter.dim() > 1) {
      update = update.add(parameter, weight_decay);
      const at::Tensor weight_norm = parameter.norm(), update_norm = update.norm();
      const at::Tensor both = weight_norm.gt(0).logical_and(update_norm.gt(0));
      update = update * at::where(both, kTrust * weight_norm / update_norm, 1.0);
    }
    active.first[i].mul_(config_.momentum).add_(update);
    parameter.sub_(active.first[i], lr);
  }
}

void Optimizer::step(double scale) {
  const at::NoGradGuard no_grad;
  for (const Group& group : groups_) {
    Active a = active(group);
    if (a.parameters.empty()) continue;
    const double lr = config_.lr * group.lr_scale * (group.constant_lr ? 1.0 : scale);
    if (config_.name == "sgd") {
      // With buffers that start at zero, the first step is like any other.
      if (config_.momentum == 0) a.first.clear();  // the kernel refuses buffers it does not use
      at::_fused_sgd_(a.parameters, a.gradients, a.first, group.weight_decay, config_.momentum, lr,
                      /*dampening=*/0.0, config_.nesterov, /*maximize=*/false,
                      /*is_first_step=*/false);
    } else if (config_.name == "lars") {
      lars_step(a, lr, group.weight_decay);
    } else {
      for (at::Tensor& count : a.steps) count += 1;
      at::_fused_adamw_(a.parameters, a.gradients, a.first, a.second, /*max_exp_avg_sqs=*/{},
                        a.steps, lr, /*beta1=*/0.9, /*beta2=*/0.999, group.weight_decay,
                        /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
    }
  }
}

void Optimizer::zero_grad() {
  for (Group& group : groups_) {
    for (at::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
}

double Optimizer::clip_gradients(double limit) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const Group& group : groups_) {
    for (const at::Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  if (gradients.empty()) return 0;
  const auto norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  if (limit > 0 && norm > limit && std::isfinite(norm)) {
    at::_foreach_mul_(gradients, limit / norm);
  }
  return norm;
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  std::map<std::string, at::Tensor> result;
  for (const Group& group : groups_) {
    for (size_t i = 0; i < group.parameters.size(); ++i) {
      const bool adam = !group.second.empty();
      result[(adam ? "exp_avg/" : "momentum/") + group.names[i]] = group.first[i];
      if (!adam) continue;
      result["exp_avg_sq/" + group.names[i]] = group.second[i];
      result["step/" + group.names[i]] = group.steps[i];
    }
  }
  return result;
}

void Optimizer::restore(const std::map<std::string, at::Tensor>& state) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : this->state()) {
    const auto saved = state.find(name);
    if (saved == state.end() || saved->second.sizes() != tensor.sizes()) {
      throw UserError("checkpoint does not fit the optimiser: '" + name + "' is " +
                      (saved == state.end() ? "missing" : "of another shape"));
    }
    tensor.copy_(saved->second);
  }
}

}  // namespace avbench
