#include "stages/embedding_metrics.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace avbench::stages {
namespace {

Tensor normal(int64_t rows, int64_t columns) {
  at::manual_seed(11);
  return at::randn({rows, columns}, at::kDouble);
}

TEST(RelativeDeviation, IsOneForAllDirectionsAlikeAndZeroForOne) {
  EXPECT_NEAR(relative_deviation(normal(20000, 16)), 1, 0.02);
  EXPECT_NEAR(relative_deviation(at::ones({9, 5}) * 3), 0, 1e-7);
  // (1, 0), (0, 1): deviation 1/2 in both dimensions, times sqrt(2).
  EXPECT_NEAR(relative_deviation(at::eye(2) * 7), std::sqrt(0.5), 1e-12);
}

TEST(RelativeDeviation, FollowsTheMeanCosine) {
  const Tensor rows = normal(300, 8) * 0.3 + 1;
  const Tensor unit = rows / rows.norm(2, 1, true);
  // Sum over dimensions of the variance = 1 - mean cosine over all pairs, self included.
  const double variance = 1 - unit.mm(unit.t()).mean().item<double>();
  EXPECT_NEAR(relative_deviation(rows), std::sqrt(variance), 0.02 * std::sqrt(variance));
}

TEST(RankMe, CountsEqualDirections) {
  EXPECT_NEAR(rank_me(at::eye(6) * 2.5), 6, 1e-9);
  EXPECT_NEAR(rank_me(at::cat({at::eye(6), at::zeros({6, 30})}, 1)), 6, 1e-9);
  EXPECT_NEAR(rank_me(at::ones({10, 4})), 1, 1e-6);
  EXPECT_EQ(rank_me(at::zeros({10, 4})), 0);
  // Singular values 3 and 1: shares 3/4 and 1/4.
  const double entropy = -(0.75 * std::log(0.75) + 0.25 * std::log(0.25));
  EXPECT_NEAR(rank_me(at::diag(at::tensor({3.0, 1.0}))), std::exp(entropy), 1e-12);
}

TEST(Uniformity, EqualsALoopOverPairs) {
  const Tensor rows = normal(7, 3);
  double sum = 0;
  for (int64_t i = 0; i < 7; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const Tensor difference = rows[i] / rows[i].norm() - rows[j] / rows[j].norm();
      sum += std::exp(-2 * difference.dot(difference).item<double>());
    }
  }
  EXPECT_NEAR(uniformity(rows), std::log(sum / 21), 1e-12);
  EXPECT_NEAR(uniformity(at::ones({5, 3})), 0, 1e-12);
}

TEST(Alignment, IsTheMeanSquaredDistanceOfUnitPairs) {
  const Tensor video = at::tensor({2.0, 0.0, 0.0, 1.0}).view({2, 2});
  const Tensor audio = at::tensor({0.0, 3.0, 0.0, 5.0}).view({2, 2});
  EXPECT_NEAR(alignment(video, audio), 1, 1e-12);  // (2 + 0) / 2
  EXPECT_NEAR(alignment(video, -video), 4, 1e-12);
}

TEST(EmbeddingMetrics, NameTheModalityThatCollapsed) {
  const Tensor good = normal(50, 8), bad = at::ones({50, 8}) + 0.01 * good;
  EXPECT_EQ(embedding_metrics(good, good).collapse, "");
  EXPECT_THAT(embedding_metrics(good, bad).collapse, testing::HasSubstr("audio embeddings"));
  EXPECT_THAT(embedding_metrics(at::zeros({50, 8}), good).collapse,
              testing::HasSubstr("video embeddings hardly differ"));
  EXPECT_THAT(embedding_metrics(good, good / 0).collapse, testing::HasSubstr("not finite"));
  EXPECT_THAT(embedding_metrics(good.slice(0, 0, 1), good.slice(0, 0, 1)).metrics,
              testing::IsEmpty());
  EXPECT_EQ(embedding_metrics(good, good).metrics.size(), 7u);
  for (const auto& [name, value] : embedding_metrics(at::zeros({50, 8}), bad).metrics) {
    EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

}  // namespace
}  // namespace avbench::stages
