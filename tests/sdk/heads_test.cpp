#include "avbench/heads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avbench {
namespace {

class Owner : public torch::nn::Module {};

std::vector<std::string> names_of(const torch::nn::Module& module) {
  return module.named_parameters().keys();
}

TEST(HeadPair, IsRegisteredAndDrawnVideoFirst) {
  at::manual_seed(2);
  Owner owner;
  const HeadPair heads(owner, "project", {3, 2});
  EXPECT_THAT(names_of(owner),
              testing::ElementsAre("project_video.0.weight", "project_video.0.bias",
                                   "project_audio.0.weight", "project_audio.0.bias"));
  at::manual_seed(2);
  for (auto& head : {heads.video(), heads.audio()}) {
    EXPECT_TRUE(head->parameters()[0].equal(mlp({3, 2})->parameters()[0]));
  }
}

TEST(HeadPair, RunsEachModalityThroughItsOwnHead) {
  Owner owner;
  HeadPair heads(owner, "project", {3, 4, 2});
  const Tensor x = at::randn({5, 3}), y = at::randn({5, 3});
  const Pair got = heads.forward({x, y});
  EXPECT_TRUE(got.video.equal(heads.video()->forward(x)));
  EXPECT_TRUE(got.audio.equal(heads.audio()->forward(y)));
  const Pair one = heads.forward({{}, y});
  EXPECT_FALSE(one.video.defined());
  EXPECT_TRUE(one.audio.equal(got.audio));
}

TEST(HeadPair, WithoutHeadsGivesWhatItGets) {
  HeadPair none;
  EXPECT_FALSE(none);
  const Pair x = {at::ones({2, 3}), at::zeros({2, 3})};
  EXPECT_TRUE(none.forward(x).video.is_same(x.video));
  EXPECT_TRUE(none.forward(x).audio.is_same(x.audio));
}

}  // namespace
}  // namespace avbench
