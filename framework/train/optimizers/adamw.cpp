// AdamW (Loshchilov, Hutter, arXiv:1711.05101), through LibTorch's fused CPU kernel.
#include <ATen/ATen.h>

#include "train/optimizers/update_rule.h"

namespace avbench::train {
namespace {

class AdamW : public UpdateRule {
 public:
  std::vector<Slot> slots() const override {
    return {{.name = "exp_avg"}, {.name = "exp_avg_sq"}, {.name = "step", .is_count = true}};
  }

  void step(const ActiveParameters& active, double lr, double weight_decay) const override {
    const auto& counts = active.slots[2];
    for (const at::Tensor& count : counts) count.add_(1);
    at::_fused_adamw_(active.parameters, active.gradients, active.slots[0], active.slots[1],
                      /*max_exp_avg_sqs=*/{}, counts, lr, /*beta1=*/0.9, /*beta2=*/0.999,
                      weight_decay, /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
  }
};

}  // namespace

std::unique_ptr<UpdateRule> make_adamw(const config::OptimizerConfig&) {
  return std::make_unique<AdamW>();
}

}  // namespace avbench::train
