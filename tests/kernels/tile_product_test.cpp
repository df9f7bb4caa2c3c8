// The product in registers against a loop in double.
#include "kernels/tile_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>

#include "kernels/jobs.h"
#include "kernels/targets.h"

namespace avbench::kernels {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

class TileProductTest : public testing::TestWithParam<int64_t> {
 protected:
  TargetScope scope_{GetParam()};
};

void fill(float* data, int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (int64_t i = 0; i < count; ++i) data[i] = uniform(generator);
}

// Compares with the definition; `unit` takes rows that lie side by side.
void expect_product(int64_t width, int64_t rows, bool unit, bool accumulate) {
  constexpr int64_t kTaps = 2, kDepth = 5;
  const ptrdiff_t a_row = unit ? 1 : 7, a_k = unit ? rows + 3 : 1, a_tap = 41;
  const Scratch a(kTaps * a_tap + rows * a_row + kDepth * a_k), b(kTaps * kDepth * width + 64),
      c(rows * width + width);
  fill(a.get(), kTaps * a_tap + rows * a_row + kDepth * a_k, 1);
  const ptrdiff_t b_tap = kDepth * width;
  fill(b.get(), kTaps * b_tap, 2);
  for (int64_t i = 0; i < rows * width; ++i) c.get()[i] = accumulate ? 0.25F : kNaN;
  for (int64_t i = 0; i < width; ++i) c.get()[rows * width + i] = 42;
  tile_product({.a = a.get(),
                .a_row = a_row,
                .a_tap = a_tap,
                .a_k = a_k,
                .b = b.get(),
                .b_tap = b_tap,
                .c = c.get(),
                .rows = rows,
                .taps = kTaps,
                .k = kDepth,
                .width = width,
                .accumulate = accumulate});
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t lane = 0; lane < width; ++lane) {
      double expected = accumulate ? 0.25 : 0;
      for (int64_t t = 0; t < kTaps; ++t) {
        for (int64_t k = 0; k < kDepth; ++k) {
          expected += static_cast<double>(a.get()[r * a_row + t * a_tap + k * a_k]) *
                      b.get()[t * b_tap + k * width + lane];
        }
      }
      ASSERT_NEAR(c.get()[r * width + lane], expected, 2e-6)
          << "width " << width << ", row " << r << " of " << rows << ", lane " << lane;
    }
  }
  for (int64_t i = 0; i < width; ++i) ASSERT_EQ(c.get()[rows * width + i], 42) << "written beyond";
}

TEST_P(TileProductTest, EqualsTheLoopForEveryNumberOfRows) {
  const std::set<int64_t> widths{panel_width(1), panel_width(512)};
  for (const int64_t width : widths) {
    for (int64_t rows = 1; rows <= 65; ++rows) {
      for (const bool unit : {false, true}) {
        for (const bool accumulate : {false, true}) expect_product(width, rows, unit, accumulate);
      }
    }
  }
}

TEST_P(TileProductTest, PanelsWasteLessThanAVector) {
  const int64_t vector = panel_width(1);
  for (int64_t channels = 1; channels <= 600; ++channels) {
    const int64_t width = panel_width(channels);
    EXPECT_TRUE(width == vector || width == 2 * vector) << width;
    EXPECT_LT((channels + width - 1) / width * width - channels, vector) << channels;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, TileProductTest, testing::ValuesIn(targets()), target_name);

}  // namespace
}  // namespace avbench::kernels
