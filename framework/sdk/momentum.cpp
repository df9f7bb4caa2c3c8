#include "avbench/momentum.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace avbench {

torch::nn::Sequential momentum_copy(const torch::nn::Sequential& head) {
  torch::nn::Sequential copy(std::dynamic_pointer_cast<torch::nn::SequentialImpl>(head->clone()));
  for (at::Tensor& parameter : copy->parameters()) parameter.requires_grad_(false);
  copy->train(head->is_training());
  return copy;
}

void ema_update(torch::nn::Module& target, const torch::nn::Module& source, double momentum) {
  TORCH_CHECK(momentum >= 0 && momentum <= 1, "ema_update: got momentum ", momentum,
              ", expected 0 to 1");
  const at::NoGradGuard no_grad;
  const auto trained = source.named_parameters();
  auto followers = target.named_parameters();
  TORCH_CHECK(trained.size() == followers.size(), "ema_update: got ", trained.size(),
              " parameters to follow, expected ", followers.size());
  for (auto& follower : followers) {
    follower.value().lerp_(trained[follower.key()], 1 - momentum);
  }
}

MomentumEncoder::MomentumEncoder(torch::nn::Module& owner, const std::string& name,
                                 const std::shared_ptr<Towers>& towers, const HeadPair& heads)
    : trained_towers_(towers),
      towers_(owner.register_module(name + "_towers", towers->momentum_copy())),
      trained_heads_(heads) {
  const torch::nn::Sequential video = momentum_copy(heads.video());
  heads_ = HeadPair(owner, name, video, momentum_copy(heads.audio()));
}

void MomentumEncoder::follow(double momentum) {
  ema_update(*towers_, *trained_towers_, momentum);
  ema_update(*heads_.video(), *trained_heads_.video(), momentum);
  ema_update(*heads_.audio(), *trained_heads_.audio(), momentum);
}

double cosine_momentum(double base, int64_t step, int64_t total_steps) {
  TORCH_CHECK(total_steps > 0, "cosine_momentum: got ", total_steps, " total steps, expected more");
  const double done =
      std::clamp(static_cast<double>(step) / static_cast<double>(total_steps), 0.0, 1.0);
  return 1 - (1 - base) * (std::cos(std::numbers::pi * done) + 1) / 2;
}

}  // namespace avbench
