#include "avbench/sample_random.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "avbench/batch.h"

namespace avbench {
namespace {

StepContext context(uint64_t seed, int64_t step) {
  static Communicator alone;
  return {.step = step, .random = at::make_generator<at::CPUGeneratorImpl>(seed), .group = alone};
}

TEST(SampleIntegers, BelongToTheSampleAndNotToItsPlaceOrBatch) {
  const Tensor index = at::tensor({7, 0, 123456789, 3}, at::kLong);
  const Tensor all = sample_integers(context(1, 2), index, "p", 5, 100);
  EXPECT_EQ(all.sizes(), at::IntArrayRef({4, 5}));
  const Tensor order = at::tensor({2, 0, 3, 1}, at::kLong);
  EXPECT_TRUE(sample_integers(context(1, 2), index.index_select(0, order), "p", 5, 100)
                  .equal(all.index_select(0, order)));
  EXPECT_TRUE(
      sample_integers(context(1, 2), at::tensor({3}, at::kLong), "p", 5, 100)[0].equal(all[3]));
}

TEST(SampleIntegers, DoNotDependOnEarlierDrawsAndMakeNone) {
  StepContext step = context(1, 2);
  const Tensor index = at::arange(6);
  const Tensor first = sample_integers(step, index, "p", 4, 1000);
  const Tensor state = step.random.get_state();
  at::rand({3}, step.random);
  EXPECT_TRUE(sample_integers(step, index, "p", 4, 1000).equal(first));
  step.random.set_state(state);
  const Tensor drawn = at::rand({3}, step.random);
  EXPECT_TRUE(at::rand({3}, context(1, 2).random).equal(drawn));
}

TEST(SampleIntegers, DifferWithSeedStepPurposeAndSample) {
  const auto draw = [](uint64_t seed, int64_t step, const char* purpose, int64_t sample) {
    const Tensor x =
        sample_integers(context(seed, step), at::tensor({sample}), purpose, 2, INT64_MAX);
    return std::pair{x[0][0].item<int64_t>(), x[0][1].item<int64_t>()};
  };
  std::set<std::pair<int64_t, int64_t>> seen;
  for (const uint64_t seed : {0u, 1u}) {
    for (const int64_t step : {0, 1}) {
      for (const char* purpose : {"a", "b"}) {
        for (const int64_t sample : {0, 1}) seen.insert(draw(seed, step, purpose, sample));
      }
    }
  }
  EXPECT_EQ(seen.size(), 16u);
}

// 60,000 draws of six values: 10,000 each, with a deviation of 91.
TEST(SampleIntegers, AreUniformOverSamplesAndDraws) {
  for (const auto& [samples, count] : {std::pair<int64_t, int64_t>{60000, 1}, {1, 60000}}) {
    const Tensor drawn = sample_integers(context(5, 0), at::arange(samples), "p", count, 6);
    const Tensor counts = at::bincount(drawn.flatten(), {}, 6);
    EXPECT_EQ(counts.size(0), 6);
    EXPECT_LT((counts - 10000).abs().max().item<int64_t>(), 5 * 91);
  }
}

TEST(SampleIntegers, RefusesAnEmptyRange) {
  EXPECT_THROW(sample_integers(context(0, 0), at::arange(2), "p", 1, 0), c10::Error);
  EXPECT_THROW(sample_integers(context(0, 0), at::ones({2}), "p", 1, 3), c10::Error);
}

}  // namespace
}  // namespace avbench
