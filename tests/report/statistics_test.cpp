#include "report/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace avbench::report {
namespace {

// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squared deviations sum to 32.
TEST(Statistics, SampleDeviationDividesByCountMinusOne) {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(values), 5);
  EXPECT_DOUBLE_EQ(standard_deviation(values), std::sqrt(32.0 / 7));
}

TEST(Statistics, OneSeedHasNoDeviation) {
  EXPECT_EQ(standard_deviation({0.5}), 0);
  EXPECT_EQ(mean({}), 0);
}

}  // namespace
}  // namespace avbench::report
