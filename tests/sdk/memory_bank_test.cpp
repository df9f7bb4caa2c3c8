#include "avbench/memory_bank.h"

#include <gtest/gtest.h>

#include "sdk/loss_testing.h"

namespace avbench {
namespace {

TEST(MemoryBank, StartsAsRandomUnitRowsFromTheDefaultGenerator) {
  at::manual_seed(3);
  MemoryBank first(50, 4);
  at::manual_seed(3);
  MemoryBank same(50, 4);
  MemoryBank other(50, 4);
  const Tensor all = at::arange(50);
  EXPECT_TRUE(at::allclose(first.rows(all).norm(2, 1), at::ones({50})));
  EXPECT_TRUE(first.rows(all).equal(same.rows(all)));
  EXPECT_FALSE(first.rows(all).equal(other.rows(all)));
  EXPECT_LT(first.rows(all).mean(0).abs().max().item<double>(), 0.35);  // in all directions
}

TEST(MemoryBank, GivesRowsInTheShapeOfTheIndex) {
  MemoryBank bank(5, 3);
  const Tensor index = at::tensor({4, 0, 4, 2, 1, 0}, at::kLong).view({2, 3});
  const Tensor rows = bank.rows(index);
  EXPECT_EQ(rows.sizes(), at::IntArrayRef({2, 3, 3}));
  EXPECT_TRUE(rows[0][2].equal(bank.rows(at::tensor({4}, at::kLong))[0]));
  EXPECT_FALSE(rows.requires_grad());
}

// Row (1, 0) and embedding (0, 5), which counts as (0, 1): the mean with momentum 0.6 is (3, 2)
// / 5.
TEST(MemoryBank, MovesNormalisedRowsTowardsTheEmbeddingsByHand) {
  MemoryBank bank(3, 2);
  const Tensor rows = bank.named_buffers()["rows"];
  rows.copy_(to_tensor({{1, 0}, {0, 1}, {1, 0}}));
  bank.update(at::tensor({2}, at::kLong), to_tensor({{0, 5}}).to(at::kFloat), 0.6);
  const double norm = std::sqrt(13.0);
  EXPECT_TRUE(at::allclose(rows, to_tensor({{1, 0}, {0, 1}, {3 / norm, 2 / norm}}).to(at::kFloat),
                           1e-6, 1e-7));
}

TEST(MemoryBank, UpdatesEachSampleWhateverTheOrder) {
  at::manual_seed(3);
  MemoryBank first(6, 3), second(6, 3);
  second.named_buffers()["rows"].copy_(first.named_buffers()["rows"]);
  const Tensor index = at::tensor({5, 0, 3}, at::kLong), order = at::tensor({2, 0, 1}, at::kLong);
  const Tensor embeddings = at::randn({3, 3});
  first.update(index, embeddings, 0.5);
  second.update(index.index_select(0, order), embeddings.index_select(0, order), 0.5);
  EXPECT_TRUE(first.rows(at::arange(6)).equal(second.rows(at::arange(6))));
}

TEST(MemoryBank, StaysFiniteWhereAMeanVanishes) {
  MemoryBank bank(1, 2);
  bank.named_buffers()["rows"].copy_(to_tensor({{1, 0}}));
  bank.update(at::tensor({0}, at::kLong), to_tensor({{-1, 0}}).to(at::kFloat), 0.5);
  EXPECT_TRUE(at::isfinite(bank.rows(at::tensor({0}, at::kLong))).all().item<bool>());
}

TEST(MemoryBank, RefusesRowsThatItDoesNotHave) {
  MemoryBank bank(3, 2);
  EXPECT_ANY_THROW(bank.rows(at::tensor({3}, at::kLong)));
  EXPECT_ANY_THROW(bank.rows(at::tensor({-1}, at::kLong)));
  EXPECT_THROW(bank.update(at::tensor({0}, at::kLong), at::ones({1, 5}), 0.5), c10::Error);
  EXPECT_THROW(bank.update(at::tensor({0, 1}, at::kLong), at::ones({1, 2}), 0.5), c10::Error);
}

}  // namespace
}  // namespace avbench
