#include "io/suggest.h"

#include <gmock/gmock.h>

#include "io/strings.h"

namespace avbench::io {
namespace {

using ::testing::ElementsAre;

TEST(Nearest, FindsOneEditOfEachKind) {
  const std::vector<std::string> known{"momentum", "temperature", "lr"};
  EXPECT_EQ(nearest("momentm", known), "momentum");    // a letter missing
  EXPECT_EQ(nearest("momenttum", known), "momentum");  // a letter too many
  EXPECT_EQ(nearest("temperatura", known), "temperature");
  EXPECT_EQ(nearest("rl", known), "lr");  // neighbours swapped
}

TEST(Nearest, IgnoresCase) { EXPECT_EQ(nearest("SIMCLR", {"avcl", "simclr"}), "simclr"); }

TEST(Nearest, TakesTheClosestOfSeveral) {
  EXPECT_EQ(nearest("lambda_sel", {"lambda_cor", "lambda_self", "lambda"}), "lambda_self");
}

TEST(Nearest, IsEmptyWhenNothingIsNear) {
  EXPECT_EQ(nearest("banana", {"momentum", "lr"}), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest("", {"a"}), "");
  EXPECT_EQ(nearest("a", {}), "");
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), {"a"}), "");
}

TEST(Nearest, CompletesABeginning) {
  EXPECT_EQ(nearest("temp", {"epochs", "temperature"}), "temperature");
  EXPECT_EQ(nearest("te", {"temperature"}), "");
}

TEST(DidYouMean, IsAnAsideOrNothing) {
  EXPECT_EQ(did_you_mean("epoch", {"epochs"}), " (did you mean 'epochs'?)");
  EXPECT_EQ(did_you_mean("zzzzzz", {"epochs"}), "");
}

TEST(JoinAndSplit, AreInverse) {
  EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join({}), "");
  EXPECT_THAT(split("|video|both", '|'), ElementsAre("", "video", "both"));
  EXPECT_THAT(split("", '|'), ElementsAre(""));
}

}  // namespace
}  // namespace avbench::io
