// Shared mathematics of the losses: free functions on tensors, each with its own test.
// Rows are samples. All are differentiable in float32 and float64 and never give NaN for finite
// inputs: norms are max(norm, 1e-12).
#pragma once

#include <cstdint>

#include "avbench/batch.h"
#include "avbench/export.h"

namespace avbench {

inline constexpr double kNormFloor = 1e-12;

// Throws if the pair is not [B, D] twice (c10::Error), or B < 2 (UserError: a loss that compares
// samples has nothing to compare). `who` begins the message.
AVBENCH_EXPORT void check_pair(const char* who, const Tensor& a, const Tensor& b);

// x / max(|x|_2, 1e-12) along `dim`; both tensors of a pair along the last dimension.
AVBENCH_EXPORT Tensor l2_normalize(const Tensor& x, int64_t dim = -1);
AVBENCH_EXPORT Pair l2_normalize(const Pair& x);

// Cosines of rows: [B, D] twice -> [B].
AVBENCH_EXPORT Tensor row_cosines(const Tensor& a, const Tensor& b);

// What a method embeds whose predictions p meet the projections z of the other modality:
// [p_v, z_v] and [z_a, p_a], each part of norm 1. The cosine of two such rows is the mean of
// cos(p_v, z_a) and cos(z_v, p_a). [B, D] each -> [B, 2D] each.
AVBENCH_EXPORT Pair prediction_space(const Pair& prediction, const Pair& projection);

enum class Reduction { kMean, kSum };

// NT-Xent over the 2N embeddings of two sets of rows, logits [ab, aa minus self] and
// [ba, bb minus self] over temperature; log-sum-exp. Eq. 1, arXiv:2002.05709.
// [B, D] each. Throws if the shapes differ, or B < 2 (there is nothing to contrast).
AVBENCH_EXPORT Tensor nt_xent(const Tensor& a, const Tensor& b, double temperature,
                              Reduction reduction = Reduction::kMean);

// Cross-entropy of logits [B, C] / temperature where column 0 is the target of every row; mean over
// the rows.
AVBENCH_EXPORT Tensor cross_entropy_with_target_0(const Tensor& logits, double temperature);

// InfoNCE: each query against its own key and the same K negatives, by cosine; log-sum-exp; mean
// over the queries. Zero, with a zero gradient, where there are no negatives. Eq. 1,
// arXiv:1911.05722. query, key [B, D]; negatives [K, D], K may be 0.
AVBENCH_EXPORT Tensor info_nce(const Tensor& query, const Tensor& key, const Tensor& negatives,
                               double temperature);

// C_ij = sum_b a_bi b_bj / (|a_.i| |b_.j|): the cosine of two columns, which are centred over the
// batch first if `centred`. [B, D] each -> [D, D].
AVBENCH_EXPORT Tensor column_correlation(const Tensor& a, const Tensor& b, bool centred);

// C = a'^T b' / B, where ' standardises columns over the batch as a batch norm does:
// (x - mean) / sqrt(biased variance + 1e-5). [B, D] each -> [D, D]. arXiv:2103.03230.
AVBENCH_EXPORT Tensor cross_correlation(const Tensor& a, const Tensor& b);

// sum_i (1 - C_ii)^2 + lambda * sum_{i != j} C_ij^2. [D, D] -> scalar. Eq. 1, arXiv:2103.03230.
AVBENCH_EXPORT Tensor redundancy_reduction(const Tensor& correlation, double lambda);

}  // namespace avbench
