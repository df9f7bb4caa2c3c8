#include "train/loss_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "sdk/fake_towers.h"

namespace avbench::train {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A head that is registered, and one that is not.
class TwoHeads : public Method {
 public:
  TwoHeads() : Method({.towers = std::make_shared<FakeTowers>(3, 3)}) {
    register_module("known", known);
  }
  Loss loss(const Batch&, const StepContext&) override { return {}; }

  torch::nn::Linear known = torch::nn::Linear(3, 2), unknown = torch::nn::Linear(3, 4);
};

constexpr EmbeddingSpec kSpecs[] = {{"rows", "B,D"}};
const MethodPlugin kToy = {.name = "toy", .embeddings = kSpecs};

std::string fault(TwoHeads& method, const Loss& loss) {
  try {
    require_valid_loss(method, {{method.known->parameters()}}, kToy, loss);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(GradientLeaves, AreWhatBackwardFills) {
  const Tensor a = torch::ones({2}).requires_grad_(), b = torch::ones({2}).requires_grad_(),
               stopped = torch::ones({2}).requires_grad_();
  const Tensor total = (a * b + a * stopped.detach()).sum() + (a * 3).sum();
  auto leaves = gradient_leaves(total);
  ASSERT_EQ(leaves.size(), 2u);
  for (const Tensor& leaf : leaves) EXPECT_TRUE(leaf.is_same(a) || leaf.is_same(b));
  EXPECT_THAT(gradient_leaves(stopped.detach().sum()), IsEmpty());
  ASSERT_EQ(gradient_leaves(a).size(), 1u);
}

TEST(UntrainedLeaves, AreNamedWhereTheyAreRegistered) {
  TwoHeads method;
  const Tensor x = torch::ones({5, 3});
  const Tensor total = method.known->forward(x).sum() + method.unknown->forward(x).sum();
  EXPECT_THAT(untrained_leaves(method, {{method.known->parameters()}}, total),
              ElementsAre("a tensor of shape [4, 3] is not registered",
                          "a tensor of shape [4] is not registered"));
  EXPECT_THAT(
      untrained_leaves(method, {{{method.known->bias}}, {method.unknown->parameters()}}, total),
      ElementsAre("'known.weight' [2, 3] is in no parameter group"));
  EXPECT_THAT(untrained_leaves(
                  method, {{method.known->parameters()}, {method.unknown->parameters()}}, total),
              IsEmpty());
}

TEST(AAudioLoss, TrainsWhatItReachesAndShowsWhatIsDeclared) {
  TwoHeads method;
  const Tensor x = torch::ones({5, 3});
  const auto loss_of = [&](const Tensor& total) { return Loss{.total = total, .parts = {}}; };
  EXPECT_EQ(fault(method, loss_of(method.known->forward(x).sum())), "");
  EXPECT_THAT(fault(method, loss_of(method.known->forward(x).sum(1))),
              HasSubstr("got a total of shape [5], expected a scalar"));
  EXPECT_THAT(fault(method, loss_of(method.unknown->forward(x).sum())),
              AllOf(HasSubstr("a tensor of shape [4, 3] is not registered"),
                    HasSubstr("register_module()")));
  Loss misspelt = loss_of(method.known->forward(x).sum());
  misspelt.inputs["row"] = x;
  EXPECT_THAT(fault(method, misspelt),
              AllOf(HasSubstr("Loss::inputs: missing tensors: rows"),
                    HasSubstr("unknown tensors: 'row' (did you mean 'rows'?)")));
}

}  // namespace
}  // namespace avbench::train
