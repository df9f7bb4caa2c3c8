// SGD with momentum, through LibTorch's fused CPU kernel.
#include <ATen/ATen.h>

#include "train/optimizers/update_rule.h"

namespace avbench::train {
namespace {

class Sgd : public UpdateRule {
 public:
  explicit Sgd(const config::OptimizerConfig& config)
      : momentum_(config.momentum), nesterov_(config.nesterov) {}

  std::vector<Slot> slots() const override { return {{.name = "momentum"}}; }
  bool has_nesterov() const override { return true; }

  // With buffers that start at zero, the first step is like any other.
  void step(const ActiveParameters& active, double lr, double weight_decay) const override {
    std::vector<at::Tensor> momentum = active.slots[0];
    if (momentum_ == 0) momentum.clear();  // the kernel refuses buffers it does not use
    at::_fused_sgd_(active.parameters, active.gradients, momentum, weight_decay, momentum_, lr,
                    /*dampening=*/0.0, nesterov_, /*maximize=*/false, /*is_first_step=*/false);
  }

 private:
  double momentum_;
  bool nesterov_;
};

}  // namespace

std::unique_ptr<UpdateRule> make_sgd(const config::OptimizerConfig& config) {
  return std::make_unique<Sgd>(config);
}

}  // namespace avbench::train
