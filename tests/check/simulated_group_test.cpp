#include "check/simulated_group.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace avbench::check {
namespace {

constexpr int kSize = 3;

Tensor rows_of_rank(int rank) { return at::full({2, 2}, 10.0 * rank, at::kDouble); }

template <class F>
std::string message_of_run(SimulatedGroup& group, F work) {
  try {
    group.run(work);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(SimulatedGroup, GathersRowsInOrderOfRank) {
  SimulatedGroup group(kSize);
  std::vector<Tensor> gathered(kSize);
  group.run([&](int rank) {
    EXPECT_EQ(group.rank(rank).rank(), rank);
    EXPECT_EQ(group.rank(rank).size(), kSize);
    gathered[rank] = group.rank(rank).all_gather(rows_of_rank(rank));
  });
  const Tensor expected = at::cat({rows_of_rank(0), rows_of_rank(1), rows_of_rank(2)});
  for (const Tensor& all : gathered) EXPECT_TRUE(at::equal(all, expected));
}

// sum_s d L_s / d x_r, by hand: L_s = (s + 1) * sum of squares of all rows.
TEST(SimulatedGroup, BackwardSumsTheGradientsOfAllRanks) {
  SimulatedGroup group(kSize);
  std::vector<Tensor> leaves(kSize);
  group.run([&](int rank) {
    leaves[rank] = (rows_of_rank(rank) + 1).requires_grad_();
    const Tensor all = group.rank(rank).all_gather(leaves[rank]);
    ((rank + 1) * all.square().sum()).backward();
  });
  for (const Tensor& leaf : leaves) {
    EXPECT_TRUE(at::equal(leaf.grad(), 2 * (1 + 2 + 3) * leaf.detach()));
  }
}

TEST(SimulatedGroup, GathersSeveralTimesForwardAndBackward) {
  SimulatedGroup group(2);
  std::vector<Tensor> leaves(2);
  group.run([&](int rank) {
    leaves[rank] = at::full({1}, rank + 1.0, at::kDouble).requires_grad_();
    Communicator& self = group.rank(rank);
    const Tensor a = self.all_gather(leaves[rank]);                 // [1, 2]
    const Tensor b = self.all_gather(leaves[rank] * leaves[rank]);  // [1, 4]
    (a.sum() * b.sum()).backward();                                 // 3 * 5 on each rank
  });
  // Twice, as both ranks hold the product: d/dx (x + y)(x^2 + y^2).
  EXPECT_DOUBLE_EQ(leaves[0].grad().item<double>(), 2 * (5 + 3 * 2 * 1));
  EXPECT_DOUBLE_EQ(leaves[1].grad().item<double>(), 2 * (5 + 3 * 2 * 2));
}

TEST(SimulatedGroup, GivesEachRankADefaultGeneratorOfItsOwn) {
  SimulatedGroup group(2);
  std::vector<Tensor> draws(2);
  at::manual_seed(5);
  const Tensor expected = at::cat({at::rand({2}), at::rand({2})});
  group.run([&](int rank) {
    at::manual_seed(5);
    const Tensor before = at::rand({2});
    group.rank(rank).all_gather(at::zeros({1}));
    draws[rank] = at::cat({before, at::rand({2})});
  });
  for (const Tensor& draw : draws) EXPECT_TRUE(at::equal(draw, expected));
}

TEST(SimulatedGroup, ThrowsWhatARankThrewWhileOthersWait) {
  SimulatedGroup group(kSize);
  const auto work = [&](int rank) {
    if (rank == 1) throw std::runtime_error("rank 1 fell over");
    group.rank(rank).all_gather(rows_of_rank(rank));
  };
  EXPECT_EQ(message_of_run(group, work), "rank 1 fell over");
}

TEST(SimulatedGroup, ReportsRanksThatGatherDifferentlyOftenInsteadOfHanging) {
  SimulatedGroup group(2);
  const auto work = [&](int rank) {
    for (int i = 0; i <= rank; ++i) group.rank(rank).all_gather(rows_of_rank(rank));
  };
  EXPECT_THAT(message_of_run(group, work), testing::HasSubstr("did not gather as often"));
  group.run([&](int rank) { group.rank(rank).all_gather(rows_of_rank(rank)); });  // usable again
}

}  // namespace
}  // namespace avbench::check
