#include "report/rank_test.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace avbench::report {
namespace {

// Values of scipy.stats.mannwhitneyu (1.16), two-sided.
TEST(RankTest, IsExactForSmallSamplesWithoutTies) {
  const RankTest apart = mann_whitney({1.1, 2.2, 3.3}, {4.4, 5.5, 6.6, 7.7});
  EXPECT_EQ(apart.u, 0);
  EXPECT_NEAR(apart.p_value, 0.05714285714285714, 1e-14);
  const RankTest mixed = mann_whitney({5, 1, 9, 4}, {6, 2, 3, 8, 7});
  EXPECT_EQ(mixed.u, 9);
  EXPECT_NEAR(mixed.p_value, 0.9047619047619049, 1e-14);
  EXPECT_EQ(mann_whitney({10}, {11}).p_value, 1);
}

TEST(RankTest, CorrectsForTies) {
  const RankTest tied = mann_whitney({1, 2, 2, 3}, {2, 4, 5});
  EXPECT_EQ(tied.u, 2);
  EXPECT_NEAR(tied.p_value, 0.19908985214820463, 1e-12);
  EXPECT_EQ(mann_whitney({1, 1, 1}, {1, 1}).p_value, 1);
}

TEST(RankTest, ApproximatesLargeSamples) {
  std::vector<double> a, b;
  for (int i = 0; i < 25; ++i) a.push_back(i);
  for (int i = 0; i < 22; ++i) b.push_back(i + 3.5);
  EXPECT_NEAR(mann_whitney(a, b).p_value, 0.35370689320933835, 1e-12);
}

TEST(RankTest, IsTheSameFromBothSides) {
  const std::vector<double> a{3, 8, 1}, b{4, 9, 2, 7};
  EXPECT_DOUBLE_EQ(mann_whitney(a, b).p_value, mann_whitney(b, a).p_value);
  EXPECT_EQ(mann_whitney(a, b).u + mann_whitney(b, a).u, 12);
}

TEST(RankTest, RefusesAnEmptySample) { EXPECT_THROW(mann_whitney({}, {1}), std::invalid_argument); }

}  // namespace
}  // namespace avbench::report
