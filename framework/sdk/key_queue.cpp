#include "avbench/key_queue.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "avbench/losses.h"

namespace avbench {

KeyQueue::KeyQueue(int64_t capacity, int64_t dim)
    : rows_(register_buffer("rows", at::zeros({capacity, dim}))),
      cursor_(register_buffer("cursor", at::zeros({}, at::kLong))),
      filled_(register_buffer("filled", at::zeros({}, at::kLong))) {}

// The number of rows decides a shape, so it must be read.
Tensor KeyQueue::keys() const { return rows_.narrow(0, 0, filled_.item<int64_t>()).clone(); }

void KeyQueue::enqueue(const Tensor& keys) {
  TORCH_CHECK(keys.dim() == 2 && keys.size(1) == rows_.size(1), "KeyQueue: got keys of shape ",
              keys.sizes(), ", expected [B, ", rows_.size(1), "]");
  const at::NoGradGuard no_grad;
  const int64_t given = keys.size(0), kept = std::min(given, capacity());
  const Tensor places = at::arange(given - kept, given, cursor_.options().dtype(at::kLong))
                            .add(cursor_.to(at::kLong))
                            .remainder(capacity());
  rows_.index_copy_(0, places,
                    l2_normalize(keys.narrow(0, given - kept, kept)).to(rows_.scalar_type()));
  cursor_.add_(given).remainder_(capacity());
  filled_.add_(given).clamp_max_(capacity());
}

}  // namespace avbench
