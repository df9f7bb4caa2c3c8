// LARS (You, Gitman, Ginsburg, arXiv:1708.03888).
#include <ATen/ATen.h>

#include "train/optimizers/update_rule.h"

namespace avbench::train {
namespace {

constexpr double kTrust = 1e-3;  // as in the official BYOL and Barlow Twins

// What has one dimension (biases, scale and shift of a norm) is neither decayed nor adapted.
class Lars : public UpdateRule {
 public:
  explicit Lars(const config::OptimizerConfig& config) : momentum_(config.momentum) {}

  std::vector<Slot> slots() const override { return {{.name = "momentum"}}; }
  bool decays_by_shape() const override { return true; }

  void step(const ActiveParameters& active, double lr, double weight_decay) const override {
    for (size_t i = 0; i < active.parameters.size(); ++i) {
      const at::Tensor &parameter = active.parameters[i], &momentum = active.slots[0][i];
      at::Tensor update = active.gradients[i];
      if (parameter.dim() > 1) {
        update = update.add(parameter, weight_decay);
        const at::Tensor weight_norm = parameter.norm(), update_norm = update.norm();
        const at::Tensor both = weight_norm.gt(0).logical_and(update_norm.gt(0));
        update = update * at::where(both, kTrust * weight_norm / update_norm, 1.0);
      }
      momentum.mul_(momentum_).add_(update);
      parameter.sub_(momentum, lr);
    }
  }

 private:
  double momentum_;
};

}  // namespace

std::unique_ptr<UpdateRule> make_lars(const config::OptimizerConfig& config) {
  return std::make_unique<Lars>(config);
}

}  // namespace avbench::train
