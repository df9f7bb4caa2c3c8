#include "avbench/memory_bank.h"

#include <ATen/ATen.h>

#include "avbench/losses.h"

namespace avbench {

MemoryBank::MemoryBank(int64_t samples, int64_t dim)
    : rows_(register_buffer("rows", l2_normalize(at::randn({samples, dim})))) {}

// index_select refuses what is outside the bank, also below zero.
Tensor MemoryBank::rows(const Tensor& index) const {
  std::vector<int64_t> shape = index.sizes().vec();
  shape.push_back(rows_.size(1));
  return rows_.index_select(0, index.flatten()).view(shape);
}

void MemoryBank::update(const Tensor& index, const Tensor& embeddings, double momentum) {
  TORCH_CHECK(embeddings.dim() == 2 && embeddings.size(1) == rows_.size(1) && index.dim() == 1 &&
                  index.size(0) == embeddings.size(0),
              "MemoryBank: got index ", index.sizes(), " and embeddings ", embeddings.sizes(),
              ", expected [B] and [B, ", rows_.size(1), "]");
  const at::NoGradGuard no_grad;
  const Tensor fresh = l2_normalize(embeddings).to(rows_.scalar_type());
  rows_.index_copy_(0, index, l2_normalize(rows(index).lerp(fresh, 1 - momentum)));
}

}  // namespace avbench
