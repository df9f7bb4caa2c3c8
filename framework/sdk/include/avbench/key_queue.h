// The first-in-first-out store of keys that MoCo contrasts with. Section 3.2, arXiv:1911.05722.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>

#include "avbench/batch.h"
#include "avbench/export.h"

namespace avbench {

// All of it is registered buffers, changed in place, and so in the checkpoint: "rows" [K, D],
// "cursor" (where the next key goes) and "filled" (how many rows are keys), int64 scalars.
class AVBENCH_EXPORT KeyQueue : public torch::nn::Module {
 public:
  KeyQueue(int64_t capacity, int64_t dim);

  // The keys so far: a copy [min(enqueued, K), D], unit rows, without gradient. Empty at first.
  Tensor keys() const;

  // Normalises the rows of `keys` [B, D] and puts them over the oldest ones, wrapping at the end.
  // If there are more than K rows, the last K are kept.
  void enqueue(const Tensor& keys);

  int64_t capacity() const { return rows_.size(0); }

 private:
  int64_t filled() const;

  Tensor rows_, cursor_, filled_;
  // What filled_ holds while its version is this one: reading it would wait for a device.
  mutable int64_t known_ = 0;
  mutable uint32_t known_version_ = 0;
};

}  // namespace avbench
