#include "stages/knn.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace avbench::stages {
namespace {

// Loops over pairs.
int64_t nearest_class(const Tensor& bank, const Tensor& labels, const Tensor& query) {
  std::vector<std::pair<double, int64_t>> ranked;
  for (int64_t i = 0; i < bank.size(0); ++i) {
    const double cosine =
        bank[i].dot(query).item<double>() / (bank[i].norm() * query.norm()).item<double>();
    ranked.emplace_back(cosine, labels[i].item<int64_t>());
  }
  std::sort(ranked.rbegin(), ranked.rend());
  std::map<int64_t, double> votes;
  const std::set<int64_t> classes(labels.data_ptr<int64_t>(),
                                  labels.data_ptr<int64_t>() + labels.size(0));
  const size_t each = std::max<size_t>(1, ranked.size() / classes.size());
  for (size_t i = 0; i < std::min<size_t>(20, each); ++i) {
    votes[ranked[i].second] += std::exp(ranked[i].first / 0.07);
  }
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

TEST(KnnClassify, EqualsALoopOverPairs) {
  at::manual_seed(3);
  for (const int64_t size : {5, 20, 60, 200}) {
    const Tensor bank = at::randn({size, 6}, at::kDouble);
    const Tensor labels = at::randint(0, 4, {size}, at::kLong);
    const Tensor queries = at::randn({30, 6}, at::kDouble) * 5;
    const Tensor got = knn_classify(bank, labels, queries);
    ASSERT_EQ(got.sizes(), (std::vector<int64_t>{30}));
    for (int64_t q = 0; q < 30; ++q) {
      EXPECT_EQ(got[q].item<int64_t>(), nearest_class(bank, labels, queries[q])) << size;
    }
  }
}

// Two far neighbours of one class against one near one: exp(0.95 / 0.07) < exp(1 / 0.07) < twice
// it.
TEST(KnnClassify, WeighsVotesByNearness) {
  const double far = 0.95, side = std::sqrt(1 - far * far);
  const Tensor bank = at::tensor({1.0, 0.0, far, side, far, -side}).view({3, 2});
  const Tensor query = at::tensor({2.0, 0.0}).view({1, 2});
  const int64_t few = knn_classify(bank, at::tensor({0, 1, 2}, at::kLong), query).item<int64_t>();
  EXPECT_EQ(few, 0);
  // exp(-0.05 / 0.07) = 0.49: two of them stay just below one. Rows of class 0 on the other side
  // make three and four neighbours.
  const auto class_with = [&](const Tensor& near, int64_t far_side) {
    const Tensor rows = at::cat({near, (-bank.slice(0, 0, 1)).expand({far_side, 2})});
    Tensor labels = at::zeros({rows.size(0)}, at::kLong);
    labels.slice(0, 1, near.size(0)).fill_(1);
    return knn_classify(rows, labels, query).item<int64_t>();
  };
  EXPECT_EQ(class_with(bank, 3), 0);
  EXPECT_EQ(class_with(at::cat({bank, bank.slice(0, 1, 2)}), 4), 1);
}

// Four rows of two classes: two neighbours, so that the three of class 1 do not outvote the
// nearest.
TEST(KnnClassify, TakesNoMoreNeighboursThanAClassHasRows) {
  const double far = 0.999, side = std::sqrt(1 - far * far);
  const Tensor bank = at::tensor({1.0, 0.0, far, side, far, -side, far, side}).view({4, 2});
  const Tensor query = at::tensor({1.0, 0.0}).view({1, 2});
  EXPECT_EQ(knn_classify(bank, at::tensor({0, 1, 1, 1}, at::kLong), query).item<int64_t>(), 0);
}

// topk takes NaN for the greatest similarity.
TEST(KnnClassify, RefusesFeaturesThatAreNotFinite) {
  const Tensor bank = at::randn({5, 3}), labels = at::zeros({5}, at::kLong);
  Tensor bad = bank.clone();
  bad[4][1] = std::nan("");
  EXPECT_THROW(knn_classify(bad, labels, bank), c10::Error);
  EXPECT_THROW(knn_classify(bank, labels, bad), c10::Error);
  EXPECT_EQ(knn_classify(bank, labels, bank).sum().item<int64_t>(), 0);
}

}  // namespace
}  // namespace avbench::stages
