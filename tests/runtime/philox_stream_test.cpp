#include "runtime/philox_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace avbench::runtime {
namespace {

using Words = std::array<uint32_t, 4>;

// kat_vectors of the Random123 distribution, "philox4x32 10".
TEST(Philox, GivesThePublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PhiloxStream, RepeatsItselfAndDiffersInEveryPartOfItsKey) {
  EXPECT_EQ(PhiloxStream(1, 2, 3, "time").next(), PhiloxStream(1, 2, 3, "time").next());
  const std::set<uint64_t> first{
      PhiloxStream(1, 2, 3, "time").next(),          PhiloxStream(2, 2, 3, "time").next(),
      PhiloxStream(1, 3, 3, "time").next(),          PhiloxStream(1, 2, 4, "time").next(),
      PhiloxStream(1, 2, 3, "crop").next(),          PhiloxStream(1, 3, 2, "time").next(),
      PhiloxStream(1ull << 40, 2, 3, "time").next(),
  };
  EXPECT_EQ(first.size(), 7u);
}

TEST(PhiloxStream, UniformIntegersFillTheirRangeEvenly) {
  constexpr int kDraws = 60000, kRange = 6;
  std::vector<int> counts(kRange);
  for (int i = 0; i < kDraws; ++i) ++counts[PhiloxStream(7, 0, i, "die").uniform_int(kRange)];
  double chi_square = 0;
  for (const int count : counts) {
    const double excess = count - kDraws / kRange;
    chi_square += excess * excess / (kDraws / kRange);
  }
  EXPECT_LT(chi_square, 20.5);  // 5 degrees of freedom, p = 0.001
}

TEST(PhiloxStream, UniformIntegersOfAHugeRangeAreUnbiased) {
  // With n = 3 * 2^61, a plain remainder would put half of the draws below n / 3.
  const int64_t n = int64_t{3} << 61;
  PhiloxStream stream(1, 0, 0, "huge");
  int low = 0;
  for (int i = 0; i < 9000; ++i) low += stream.uniform_int(n) < n / 3;
  EXPECT_NEAR(low, 3000, 200);
  EXPECT_THROW(stream.uniform_int(0), std::invalid_argument);
}

TEST(PhiloxStream, UniformNumbersFillTheUnitIntervalEvenly) {
  PhiloxStream stream(1, 2, 3, "purpose");
  std::array<int, 10> tenths{};
  double least = 1, greatest = 0;
  for (int i = 0; i < 20000; ++i) {
    const double value = stream.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    ++tenths[static_cast<size_t>(10 * value)];
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  for (const int count : tenths) EXPECT_NEAR(count, 2000, 5 * 42.4);  // deviations
  EXPECT_LT(least, 0.001);
  EXPECT_GT(greatest, 0.999);
}

TEST(Permute, IsAPermutationForEverySize) {
  std::vector<int64_t> sizes{255, 256, 257, 1000, 4097};
  for (int64_t n = 1; n < 70; ++n) sizes.push_back(n);
  for (const int64_t n : sizes) {
    std::set<int64_t> seen;
    for (int64_t i = 0; i < n; ++i) seen.insert(permute(i, n, 5, 1));
    EXPECT_EQ(static_cast<int64_t>(seen.size()), n);
    EXPECT_EQ(*seen.begin(), 0);
    EXPECT_EQ(*seen.rbegin(), n - 1);
  }
}

TEST(Permute, PutsEveryElementEverywhereEquallyOften) {
  constexpr int64_t kSize = 5;
  constexpr int kEpochs = 10000;
  for (int64_t position = 0; position < kSize; ++position) {
    std::vector<int> counts(kSize);
    for (int epoch = 0; epoch < kEpochs; ++epoch) ++counts[permute(position, kSize, 3, epoch)];
    double chi_square = 0;
    for (const int count : counts) chi_square += (count - 2000.0) * (count - 2000.0) / 2000;
    EXPECT_LT(chi_square, 18.5) << position;  // 4 degrees of freedom, p = 0.001
  }
}

TEST(Permute, LeavesNoTraceOfTheOldOrder) {
  // Neighbours stay neighbours about twice in a random permutation, whatever its length.
  int kept = 0;
  for (int64_t i = 0; i + 1 < 2000; ++i) {
    kept += std::abs(permute(i, 2000, 9, 0) - permute(i + 1, 2000, 9, 0)) == 1;
  }
  EXPECT_LT(kept, 12);
  EXPECT_THROW(permute(5, 5, 0, 0), std::out_of_range);
}

}  // namespace
}  // namespace avbench::runtime
