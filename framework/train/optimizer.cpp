#include "train/optimizer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <stdexcept>

#include "io/error.h"

namespace avbench::train {
namespace {

// The fused kernels walk raw memory, so a gradient must lie in memory as its parameter does.
at::Tensor gradient_like(const at::Tensor& parameter) {
  const at::Tensor& grad = parameter.grad();
  if (grad.strides() == parameter.strides()) return grad;
  return at::empty_like(parameter).copy_(grad);
}

at::Tensor empty_slot(const Slot& slot, const at::Tensor& parameter) {
  return slot.is_count ? at::zeros({}, parameter.options().dtype(at::kFloat))
                       : at::zeros_like(parameter);
}

}  // namespace

Optimizer::Optimizer(const config::OptimizerConfig& config, const std::vector<ParamGroup>& groups,
                     const std::map<std::string, at::Tensor>& names)
    : lr_(config.lr), rule_(make_update_rule(config)) {
  Names name_of;
  for (const auto& [name, tensor] : names) name_of.emplace(tensor.unsafeGetTensorImpl(), name);
  const auto is_matrix = [](const at::Tensor& parameter) { return parameter.dim() > 1; };
  const auto any = [](const at::Tensor&) { return true; };
  for (const ParamGroup& given : groups) {
    const double weight_decay = given.weight_decay.value_or(config.weight_decay);
    if (config.decay_norms_and_biases || rule_->decays_by_shape()) {
      add_group(given, weight_decay, any, name_of);
    } else {
      add_group(given, weight_decay, is_matrix, name_of);
      add_group(given, 0, std::not_fn(is_matrix), name_of);
    }
  }
}

void Optimizer::add_group(const ParamGroup& given, double weight_decay, const Filter& belongs,
                          Names& names) {
  const std::vector<Slot> slots = rule_->slots();
  Group group{
      .lr_scale = given.lr_scale, .weight_decay = weight_decay, .constant_lr = given.constant_lr};
  group.slots.resize(slots.size());
  for (const at::Tensor& parameter : given.parameters) {
    if (!belongs(parameter)) continue;
    const auto name = names.extract(parameter.unsafeGetTensorImpl());
    if (name.empty()) {
      throw std::logic_error(
          "a parameter group holds a tensor that is not registered or stands in two groups");
    }
    group.names.push_back(name.mapped());
    group.parameters.push_back(parameter);
    for (size_t s = 0; s < slots.size(); ++s) {
      group.slots[s].push_back(empty_slot(slots[s], parameter));
    }
  }
  if (!group.parameters.empty()) groups_.push_back(std::move(group));
}

ActiveParameters Optimizer::active(const Group& group) {
  ActiveParameters result;
  result.slots.resize(group.slots.size());
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    if (!group.parameters[i].grad().defined()) continue;
    result.parameters.push_back(group.parameters[i]);
    result.gradients.push_back(gradient_like(group.parameters[i]));
    for (size_t s = 0; s < group.slots.size(); ++s) {
      result.slots[s].push_back(group.slots[s][i]);
    }
  }
  return result;
}

void Optimizer::step(double scale) {
  const at::NoGradGuard no_grad;
  for (const Group& group : groups_) {
    const ActiveParameters moved = active(group);
    if (moved.parameters.empty()) continue;
    const double lr = lr_ * group.lr_scale * (group.constant_lr ? 1.0 : scale);
    rule_->step(moved, lr, group.weight_decay);
  }
}

void Optimizer::zero_grad() {
  for (Group& group : groups_) {
    for (at::Tensor& parameter : group.parameters) parameter.mutable_grad().reset();
  }
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> gradients;
  for (const Group& group : groups_) {
    for (const at::Tensor& parameter : group.parameters) {
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    }
  }
  return gradients;
}

at::Tensor Optimizer::gradient_norm() const {
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> all = gradients();
  return all.empty() ? at::zeros({}) : at::stack(at::_foreach_norm(all)).norm();
}

void Optimizer::clip_gradients(double norm, double limit) {
  if (limit <= 0 || norm <= limit || !std::isfinite(norm)) return;
  const at::NoGradGuard no_grad;
  at::_foreach_mul_(gradients(), limit / norm);
}

std::map<std::string, at::Tensor> Optimizer::state() const {
  const std::vector<Slot> slots = rule_->slots();
  std::map<std::string, at::Tensor> result;
  for (const Group& group : groups_) {
    for (size_t s = 0; s < slots.size(); ++s) {
      const std::string prefix = std::string(slots[s].name) + "/";
      for (size_t i = 0; i < group.names.size(); ++i) {
        result[prefix + group.names[i]] = group.slots[s][i];
      }
    }
  }
  return result;
}

void Optimizer::restore(const std::map<std::string, at::Tensor>& state) {
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : this->state()) {
    const auto saved = state.find(name);
    if (saved == state.end() || saved->second.sizes() != tensor.sizes()) {
      throw io::UserError("checkpoint does not fit the optimiser: '" + name + "' is " +
                          (saved == state.end() ? "missing" : "of another shape"));
    }
    tensor.copy_(saved->second);
  }
}

}  // namespace avbench::train
