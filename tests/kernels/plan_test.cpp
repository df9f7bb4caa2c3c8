// Which kernel computes which layer.
#include <gtest/gtest.h>

#include <tuple>

#include "kernels/conv3d.h"

namespace avbench::kernels {
namespace {

constexpr Extent kOne{1, 1, 1}, kTwo{2, 2, 2}, kThree{3, 3, 3};

using Choice = std::tuple<Algorithm, Algorithm, Algorithm>;
Choice choice(const ConvGeometry& conv) {
  const ConvPlan plan = plan_conv(conv);
  return {plan.forward, plan.input_gradient, plan.weight_gradient};
}

constexpr Algorithm kL = Algorithm::kLibrary, kD = Algorithm::kDirect, kW = Algorithm::kWinograd;

TEST(ConvPlan, TakesWinogradForStrideOneLayersWithManyTiles) {
  EXPECT_EQ(choice({{4, 16, 56, 56, 64}, 64, kThree, kOne, kOne}), Choice(kW, kW, kW));
  EXPECT_EQ(choice({{4, 16, 56, 56, 64}, 144, {1, 3, 3}, kOne, {0, 1, 1}}), Choice(kW, kW, kW));
}

TEST(ConvPlan, LeavesLayersWithFewTilesToTheLibraryExceptTheirWeightGradient) {
  EXPECT_EQ(choice({{4, 2, 7, 7, 512}, 512, kThree, kOne, kOne}), Choice(kL, kL, kW));
}

TEST(ConvPlan, TakesTheDirectWeightGradientElsewhere) {
  EXPECT_EQ(choice({{4, 16, 112, 112, 3}, 64, {3, 7, 7}, {1, 2, 2}, {1, 3, 3}}),
            Choice(kL, kL, kD));
  EXPECT_EQ(choice({{4, 16, 56, 56, 64}, 128, kThree, kTwo, kOne}), Choice(kL, kL, kD));
  EXPECT_EQ(choice({{4, 16, 56, 56, 144}, 64, {3, 1, 1}, kOne, {1, 0, 0}}), Choice(kL, kL, kD));
  EXPECT_EQ(choice({{4, 16, 56, 56, 3}, 64, kThree, kOne, kOne}), Choice(kL, kL, kD));
}

TEST(ConvPlan, NeverTakesWinogradWhereItDoesNotApply) {
  // More padding than the kernel's reach has no input gradient of the same form.
  EXPECT_EQ(choice({{4, 16, 56, 56, 64}, 64, kThree, kOne, {1, 3, 1}}), Choice(kL, kL, kD));
  EXPECT_EQ(choice({{4, 16, 56, 56, 64}, 64, kThree, kOne, {3, 1, 1}}), Choice(kL, kL, kD));
  EXPECT_EQ(choice({{4, 16, 56, 56, 64}, 64, kThree, {2, 1, 1}, kOne}), Choice(kL, kL, kD));
}

}  // namespace
}  // namespace avbench::kernels
