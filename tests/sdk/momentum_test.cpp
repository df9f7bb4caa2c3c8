#include "avbench/momentum.h"

#include <gtest/gtest.h>

#include <cmath>

#include "avbench/heads.h"
#include "sdk/fake_towers.h"

namespace avbench {
namespace {

TEST(MomentumCopy, IsApartFrozenAndEqual) {
  auto head = mlp({3, 5, 2}, {.batch_norm = true});
  head->forward(at::randn({4, 3}));  // moves the running statistics
  auto copy = momentum_copy(head);
  head->eval();
  copy->eval();
  const Tensor x = at::randn({4, 3});
  EXPECT_TRUE(head->forward(x).equal(copy->forward(x)));
  for (const Tensor& parameter : copy->parameters()) EXPECT_FALSE(parameter.requires_grad());
  for (const Tensor& parameter : head->parameters()) EXPECT_TRUE(parameter.requires_grad());
  const at::NoGradGuard no_grad;
  for (const Tensor& parameter : head->parameters()) parameter.add_(1);
  for (const Tensor& buffer : head->buffers()) buffer.add_(1);
  EXPECT_FALSE(head->forward(x).equal(copy->forward(x)));
}

TEST(EmaUpdate, IsTheAverageOfEveryParameterAndTouchesNoBuffer) {
  auto source = mlp({3, 5, 2}, {.batch_norm = true});
  auto target = momentum_copy(source);
  source->forward(at::randn({4, 3}));
  {
    const at::NoGradGuard no_grad;
    for (const Tensor& parameter : source->parameters()) parameter.copy_(at::randn_like(parameter));
  }
  std::vector<Tensor> before;
  for (const Tensor& parameter : target->parameters()) before.push_back(parameter.clone());
  ema_update(*target, *source, 0.9);
  for (size_t i = 0; i < before.size(); ++i) {
    const Tensor expected = 0.9 * before[i] + 0.1 * source->parameters()[i];
    EXPECT_TRUE(at::allclose(target->parameters()[i], expected, 1e-6, 1e-7));
  }
  EXPECT_EQ(target->named_buffers()["1.num_batches_tracked"].item<int64_t>(), 0);
  EXPECT_EQ(target->named_buffers()["1.running_mean"].abs().sum().item<double>(), 0);
}

TEST(EmaUpdate, KeepsAllAtOneAndCopiesAtZero) {
  const FakeTowers source(3, 2);
  const auto target = source.momentum_copy();
  const at::NoGradGuard no_grad;
  const Tensor weight = source.named_parameters()["video.weight"];
  const Tensor follower = target->named_parameters()["video.weight"];
  const Tensor before = weight.clone();
  weight.add_(1);
  ema_update(*target, source, 1);
  EXPECT_TRUE(follower.equal(before));
  ema_update(*target, source, 0);
  EXPECT_TRUE(follower.equal(weight));
}

TEST(EmaUpdate, RefusesOtherModulesAndMomentumOutsideItsRange) {
  auto small = mlp({3, 2}), large = mlp({3, 5, 2});
  EXPECT_THROW(ema_update(*small, *large, 0.9), c10::Error);
  EXPECT_THROW(ema_update(*small, *small, 1.1), c10::Error);
}

// The distance to one halves at half of the way.
TEST(CosineMomentum, RisesFromTheBaseToOne) {
  EXPECT_DOUBLE_EQ(cosine_momentum(0.99, 0, 100), 0.99);
  EXPECT_NEAR(cosine_momentum(0.99, 50, 100), 0.995, 1e-15);
  EXPECT_NEAR(cosine_momentum(0.99, 25, 100), 1 - 0.01 * (std::sqrt(0.5) + 1) / 2, 1e-15);
  EXPECT_DOUBLE_EQ(cosine_momentum(0.99, 100, 100), 1);
  EXPECT_DOUBLE_EQ(cosine_momentum(0.99, 101, 100), 1);
  EXPECT_THROW(cosine_momentum(0.99, 0, 0), c10::Error);
}

TEST(MomentumEncoder, BeginsEqualAndFollowsTowersAndHeads) {
  const auto towers = std::make_shared<FakeTowers>(5, 3);
  class Owner : public torch::nn::Module {
  } owner;
  owner.register_module("towers", towers);
  const HeadPair heads(owner, "project", {3, 2});
  MomentumEncoder slow(owner, "slow", towers, heads);
  const auto parameters = owner.named_parameters();
  for (const auto& [slow_name, name] :
       {std::pair{"slow_towers.video.weight", "towers.video.weight"},
        {"slow_video.0.weight", "project_video.0.weight"},
        {"slow_audio.0.bias", "project_audio.0.bias"}}) {
    const at::NoGradGuard no_grad;
    const Tensor &follower = parameters[slow_name], &trained = parameters[name];
    EXPECT_TRUE(follower.equal(trained)) << name;
    EXPECT_FALSE(follower.requires_grad()) << name;
    trained.add_(4);
    slow.follow(0.75);
    EXPECT_TRUE(at::allclose(follower, trained - 3)) << name;
  }
}

}  // namespace
}  // namespace avbench
