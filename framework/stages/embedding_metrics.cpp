#include "stages/embedding_metrics.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "avbench/losses.h"

namespace avbench::stages {
namespace {

constexpr double kCollapsed = 0.05;

Tensor unit_rows(const Tensor& embeddings) { return l2_normalize(embeddings.to(at::kDouble)); }

}  // namespace

double relative_deviation(const Tensor& embeddings) {
  const Tensor deviations = unit_rows(embeddings).std(0, /*unbiased=*/false);
  return deviations.mean().item<double>() * std::sqrt(static_cast<double>(embeddings.size(1)));
}

double rank_me(const Tensor& embeddings) {
  const Tensor values = at::linalg_svdvals(embeddings.to(at::kDouble));
  const Tensor shares = values / values.sum().clamp_min(kNormFloor);
  const double entropy = -at::xlogy(shares, shares).sum().item<double>();
  return values.max().item<double>() > 0 ? std::exp(entropy) : 0;
}

double uniformity(const Tensor& embeddings) {
  const Tensor squares = at::pdist(unit_rows(embeddings)).square();
  return (-2 * squares).exp().mean().log().item<double>();
}

double alignment(const Tensor& video, const Tensor& audio) {
  return (unit_rows(video) - unit_rows(audio)).square().sum(1).mean().item<double>();
}

EmbeddingMetrics embedding_metrics(const Tensor& video, const Tensor& audio) {
  EmbeddingMetrics result;
  if (video.size(0) < 2) return result;  // one sample shows nothing
  for (const auto& [name, space] :
       {std::pair<std::string, Tensor>{"video", video}, {"audio", audio}}) {
    if (!space.isfinite().all().item<bool>()) {
      return {{}, "the " + name + " embeddings are not finite"};
    }
    const double deviation = relative_deviation(space);
    result.metrics.emplace_back(name + "_deviation", deviation);
    result.metrics.emplace_back(name + "_rank", rank_me(space));
    result.metrics.emplace_back(name + "_uniformity", uniformity(space));
    if (deviation < kCollapsed && result.collapse.empty()) {
      result.collapse = fmt::format(
          "the {} embeddings hardly differ, their deviation is {:.3f} of 1", name, deviation);
    }
  }
  result.metrics.emplace_back("alignment", alignment(video, audio));
  return result;
}

}  // namespace avbench::stages
