// One remembered embedding for each training sample. Wu et al., arXiv:1805.01978; Tao et al., IIC.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>

#include "avbench/batch.h"
#include "avbench/export.h"

namespace avbench {

// Row i belongs to the sample of index i, whatever the order of the batches. The buffer "rows"
// [N, D] is changed in place, and so in the checkpoint.
class AVBENCH_EXPORT MemoryBank : public torch::nn::Module {
 public:
  // Rows start as random directions from the default generator.
  MemoryBank(int64_t samples, int64_t dim);

  // index [...] int64 -> unit rows [..., D], without gradient.
  Tensor rows(const Tensor& index) const;

  // row = l2_normalize(momentum * row + (1 - momentum) * l2_normalize(embedding)), for index [B],
  // in which no sample stands twice, and embeddings [B, D].
  void update(const Tensor& index, const Tensor& embeddings, double momentum);

  int64_t samples() const { return rows_.size(0); }

 private:
  Tensor rows_;
};

}  // namespace avbench
