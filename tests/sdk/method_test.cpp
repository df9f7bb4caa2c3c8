#include "avbench/method.h"

#include <gtest/gtest.h>

#include "avbench/projected_pair.h"
#include "sdk/fake_towers.h"
#include "sdk/loss_testing.h"

namespace avbench {
namespace {

// A method that overrides only what it must, and has one frozen parameter.
class Plain : public Method {
 public:
  using Method::Method;
  Loss loss(const Batch&, const StepContext&) override { return {at::zeros({})}; }
  Tensor head = register_parameter("head", at::ones({2}));
  Tensor teacher = register_parameter("teacher", at::ones({2}), /*requires_grad=*/false);
};

struct Fixture {
  std::shared_ptr<FakeTowers> towers = std::make_shared<FakeTowers>(5, 3);
  std::shared_ptr<Plain> method = std::make_shared<Plain>(MethodContext{.towers = towers});
};

TEST(Method, RegistersItsTowersAsState) {
  const Fixture f;
  EXPECT_TRUE(f.method->named_parameters().contains("towers.video.weight"));
  EXPECT_EQ(&f.method->evaluation_towers(), f.towers.get());
}

TEST(Method, PretrainsWhatRequiresAGradientAndFinetunesTheTowers) {
  const Fixture f;
  const auto pretrain = f.method->param_groups(Stage::kPretrain);
  ASSERT_EQ(pretrain.size(), 1u);
  EXPECT_EQ(pretrain[0].parameters.size(), 5u);  // two towers of weight and bias, and the head
  const auto finetune = f.method->param_groups(Stage::kFinetune);
  ASSERT_EQ(finetune.size(), 1u);
  EXPECT_EQ(finetune[0].parameters.size(), 4u);
}

TEST(Method, FusesByConcatenationAndEmbedsThePooledFeatures) {
  const Fixture f;
  const Tensor video = to_tensor({{1, 2}}), audio = to_tensor({{3, 4}});
  EXPECT_TRUE(f.method->fuse(video, audio).equal(to_tensor({{1, 2, 3, 4}})));
  const auto [v, a] = f.method->embed({{video, {}}, {audio, {}}});
  EXPECT_TRUE(v.equal(video));
  EXPECT_TRUE(a.equal(audio));
  EXPECT_EQ(f.method->diagnostics({}).collapse, "");
}

TEST(Communicator, OfOneProcessIsTheIdentity) {
  Communicator alone;
  const Tensor rows = at::ones({2, 2});
  EXPECT_TRUE(alone.all_gather(rows).is_same(rows));
  EXPECT_EQ(alone.size(), 1);
}

TEST(Gather, JoinsTheRowsOfEachModalityAndLeavesWhatIsMissing) {
  class Twins : public Communicator {
    Tensor all_gather(const Tensor& rows) override { return at::cat({rows, rows}); }
  } twins;
  const Pair both = gather({to_tensor({{3}}), to_tensor({{1, 2}})}, twins);
  EXPECT_TRUE(both.video.equal(to_tensor({{3}, {3}})));
  EXPECT_TRUE(both.audio.equal(to_tensor({{1, 2}, {1, 2}})));
  Features features;
  features.audio.pooled = to_tensor({{1, 2}});
  const Pair one = gather(pooled(features), twins);
  EXPECT_TRUE(one.audio.equal(both.audio));
  EXPECT_FALSE(one.video.defined());
}

TEST(Pair, DetachesBoth) {
  const Tensor x = at::ones({2}).requires_grad_();
  const Pair detached = Pair{2 * x, 3 * x}.detach();
  EXPECT_FALSE(detached.video.requires_grad());
  EXPECT_FALSE(detached.audio.requires_grad());
  EXPECT_TRUE(detached.audio.equal(at::full({2}, 3.0)));
}

TEST(SelectRows, KeepsViewsIndexAndLayout) {
  Batch batch = fake_batch(4, 3);
  batch.video["second"] = at::rand({4, 2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast3d);
  const Batch chosen = select_rows(batch, at::tensor({3, 1}, at::kLong));
  EXPECT_TRUE(chosen.index.equal(at::tensor({3, 1}, at::kLong)));
  EXPECT_TRUE(chosen.audio.at(kBaseView)[0].equal(batch.audio.at(kBaseView)[3]));
  EXPECT_TRUE(chosen.video.at("second")[1].equal(batch.video.at("second")[1]));
  EXPECT_TRUE(chosen.video.at("second").is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

Loss dot(const NamedTensors& x, const Params&) { return {(x.at("video") * x.at("audio")).sum()}; }

TEST(ProjectedPair, TakesTheLossOfProjectedFeatures) {
  const auto towers = std::make_shared<FakeTowers>(5, 3);
  ProjectedPair method({.towers = towers}, dot, {4, 2}, {.batch_norm = true});
  EXPECT_TRUE(method.named_parameters().contains("project_audio.3.weight"));
  Communicator alone;
  const Batch batch = fake_batch(6, 5);
  const Loss loss = method.loss(batch, {.group = alone});
  EXPECT_EQ(loss.total.item<double>(), dot(loss.inputs, {}).total.item<double>());
  method.eval();
  const Pair embedded = method.embed(towers->forward(batch));
  EXPECT_EQ(embedded.video.sizes(), at::IntArrayRef({6, 2}));
  EXPECT_FALSE(embedded.video.equal(embedded.audio));
}

}  // namespace
}  // namespace avbench
