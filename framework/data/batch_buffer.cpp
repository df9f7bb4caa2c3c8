#include "data/batch_buffer.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace avbench::data {

at::Tensor BufferPool::batch_tensor(int64_t rows, int64_t channels, int64_t frames, int64_t side) {
  const int64_t frame = side * side * channels, row = frames * frame, floats = rows * row;
  float* memory = acquire(floats).release();
  return at::from_blob(
      memory, {rows, channels, frames, side, side}, {row, 1, frame, side * channels, channels},
      [pool = shared_from_this(), floats](void* memory) {
        pool->release(floats, Buffer(static_cast<float*>(memory)));
      },
      at::kFloat);
}

void BufferPool::Free::operator()(float* memory) const { std::free(memory); }

BufferPool::Buffer BufferPool::acquire(int64_t floats) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(unused_.begin(), unused_.end(),
                                    [&](const auto& entry) { return entry.first == floats; });
    if (found != unused_.end()) {
      Buffer buffer = std::move(found->second);
      unused_.erase(found);
      return buffer;
    }
  }
  constexpr size_t kLine = 64;
  const size_t bytes = (floats * sizeof(float) + kLine - 1) / kLine * kLine;
  Buffer buffer(static_cast<float*>(std::aligned_alloc(kLine, bytes)));
  if (!buffer) throw std::bad_alloc();
  return buffer;
}

void BufferPool::release(int64_t floats, Buffer buffer) {
  const std::lock_guard lock(mutex_);
  unused_.emplace_back(floats, std::move(buffer));
}

}  // namespace avbench::data
