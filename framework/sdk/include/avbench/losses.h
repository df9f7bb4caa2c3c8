// Shared mathematics of the losses: free functions on tensors, each with its own test.
// Rows are samples. All are differentiable in float32 and float64 and never give NaN for finite
// inputs: norms are max(norm, 1e-12).
#pragma once

#include <cstdint>

#include "avbench/batch.h"
#include "avbench/export.h"

namespace avbench {

inline constexpr double kNormFloor = 1e-12;

// x / max(|x|_2, 1e-12) along `dim`.
AVBENCH_EXPORT Tensor unit(const Tensor& x, int64_t dim = -1);

enum class Reduction { kMean, kSum };

// NT-Xent over the 2N embeddings of two sets of rows, logits [ab, aa minus self] and
// [ba, bb minus self] over temperature; log-sum-exp. Eq. 1, arXiv:2002.05709.
// [B, D] each. Throws if the shapes differ, or B < 2 (there is nothing to contrast).
AVBENCH_EXPORT Tensor nt_xent(const Tensor& a, const Tensor& b, double temperature,
                              Reduction reduction = Reduction::kMean);

// C_ij = sum_b a_bi b_bj / (|a_.i| |b_.j|): cosine of columns, of the columns centred over the
// batch if `centred`. [B, D] each -> [D, D].
AVBENCH_EXPORT Tensor column_correlation(const Tensor& a, const Tensor& b, bool centred);

// sum_i (1 - C_ii)^2 + lambda * sum_{i != j} C_ij^2. [D, D] -> scalar. Eq. 1, arXiv:2103.03230.
AVBENCH_EXPORT Tensor redundancy_reduction(const Tensor& correlation, double lambda);

}  // namespace avbench
