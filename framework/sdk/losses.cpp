#include "avbench/losses.h"

#include <torch/types.h>

#include <limits>

#include "avbench/params.h"

namespace avbench {
namespace {

constexpr double kVarianceFloor = 1e-5;  // as batch norm's

void check_shapes(const char* who, const Tensor& a, const Tensor& b) {
  TORCH_CHECK(a.dim() == 2 && a.sizes() == b.sizes(), who, ": got shapes ", a.sizes(), " and ",
              b.sizes(), ", expected [B, D] twice");
}

// Half-precision inputs are normalised in float32: 1e-12 is zero in float16.
Tensor widened(const Tensor& x) {
  return x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
}

}  // namespace

void check_pair(const char* who, const Tensor& a, const Tensor& b) {
  check_shapes(who, a, b);
  if (a.size(0) < 2) {
    usage_error(std::string(who) + ": got a batch of " + std::to_string(a.size(0)) +
                ", expected at least 2 samples: the loss compares samples with each other");
  }
}

Tensor l2_normalize(const Tensor& x, int64_t dim) {
  const Tensor wide = widened(x);
  return wide / wide.norm(2, dim, /*keepdim=*/true).clamp_min(kNormFloor);
}

Pair l2_normalize(const Pair& x) {
  return x.map([](const Tensor& rows) { return l2_normalize(rows); });
}

Pair prediction_space(const Pair& prediction, const Pair& projection) {
  const Pair p = l2_normalize(prediction), z = l2_normalize(projection);
  return {at::cat({p.video, z.video}, 1), at::cat({z.audio, p.audio}, 1)};
}

Tensor row_cosines(const Tensor& a, const Tensor& b) {
  check_shapes("row_cosines", a, b);
  return (l2_normalize(a) * l2_normalize(b)).sum(1);
}

Tensor cross_entropy_with_target_0(const Tensor& logits, double temperature) {
  TORCH_CHECK(logits.dim() == 2, "cross_entropy_with_target_0: got shape ", logits.sizes(),
              ", expected [B, C]");
  TORCH_CHECK(temperature > 0, "got temperature ", temperature, ", expected above 0");
  const Tensor first = at::zeros({logits.size(0)}, logits.options().dtype(at::kLong));
  return at::cross_entropy_loss(widened(logits) / temperature, first);
}

Tensor info_nce(const Tensor& query, const Tensor& key, const Tensor& negatives,
                double temperature) {
  check_shapes("info_nce", query, key);
  TORCH_CHECK(negatives.dim() == 2 && negatives.size(1) == query.size(1),
              "info_nce: got negatives of shape ", negatives.sizes(), ", expected [K, ",
              query.size(1), "]");
  const Tensor positive = row_cosines(query, key).unsqueeze(1);               // [B, 1]
  const Tensor others = l2_normalize(query).mm(l2_normalize(negatives).t());  // [B, K]
  return cross_entropy_with_target_0(at::cat({positive, others}, 1), temperature);
}

Tensor nt_xent(const Tensor& a, const Tensor& b, double temperature, Reduction reduction) {
  check_pair("nt_xent", a, b);
  TORCH_CHECK(temperature > 0, "nt_xent: got temperature ", temperature, ", expected above 0");
  const int64_t rows = a.size(0);
  const Tensor z = l2_normalize(torch::cat({a, b}));  // [2B, D]
  const auto device = a.device();
  const Tensor self = torch::eye(2 * rows, torch::dtype(torch::kBool).device(device));
  const Tensor logits =
      (z.mm(z.t()) / temperature).masked_fill(self, -std::numeric_limits<double>::infinity());
  const Tensor partner =
      torch::arange(2 * rows, torch::dtype(torch::kLong).device(device)).roll(rows);
  return at::cross_entropy_loss(
      logits, partner, /*weight=*/{},
      reduction == Reduction::kMean ? at::Reduction::Mean : at::Reduction::Sum);
}

Tensor column_correlation(const Tensor& a, const Tensor& b, bool centred) {
  check_pair("column_correlation", a, b);
  const auto unit_columns = [centred](const Tensor& x) {
    const Tensor wide = widened(x);
    return l2_normalize(centred ? wide - wide.mean(0, /*keepdim=*/true) : wide, 0);
  };
  return unit_columns(a).t().mm(unit_columns(b));
}

Tensor cross_correlation(const Tensor& a, const Tensor& b) {
  check_pair("cross_correlation", a, b);
  const auto standardised = [](const Tensor& x) {
    const Tensor centred = widened(x) - widened(x).mean(0, /*keepdim=*/true);
    const Tensor variance = centred.square().mean(0, /*keepdim=*/true);
    return centred / (variance + kVarianceFloor).sqrt();
  };
  return standardised(a).t().mm(standardised(b)) / a.size(0);
}

Tensor redundancy_reduction(const Tensor& correlation, double lambda) {
  TORCH_CHECK(correlation.dim() == 2 && correlation.size(0) == correlation.size(1),
              "redundancy_reduction: got shape ", correlation.sizes(), ", expected [D, D]");
  const Tensor diagonal = correlation.diagonal();
  const Tensor others = correlation - torch::diag(diagonal);
  return (1 - diagonal).square().sum() + lambda * others.square().sum();
}

}  // namespace avbench
