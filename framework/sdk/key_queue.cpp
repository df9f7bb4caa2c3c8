#include "avbench/key_queue.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "avbench/losses.h"

namespace avbench {

KeyQueue::KeyQueue(int64_t capacity, int64_t dim)
    : rows_(register_buffer("rows", at::zeros({capacity, dim}))),
      cursor_(register_buffer("cursor", at::zeros({}, at::kLong))),
      filled_(register_buffer("filled", at::zeros({}, at::kLong))) {}

// A checkpoint that is copied into it raises its version.
int64_t KeyQueue::filled() const {
  if (filled_._version() != known_version_) {
    known_ = filled_.item<int64_t>();
    known_version_ = filled_._version();
  }
  return known_;
}

Tensor KeyQueue::keys() const { return rows_.narrow(0, 0, filled()).clone(); }

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
  const int64_t now = std::min(filled() + given, capacity());
  filled_.fill_(now);
  known_ = now;
  known_version_ = filled_._version();
}

}  // namespace avbench
