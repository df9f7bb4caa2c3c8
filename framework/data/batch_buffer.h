// Memory of batches, used again when the tensors that lay in it are gone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace avbench::data {

class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  // Uninitialised float32 [B, C, T, S, S] in channels_last_3d, in memory that a former tensor has
  // left, if there is some of that size. It comes back when the last reference to the tensor goes,
  // whatever became of the pool's owner meanwhile.
  at::Tensor batch_tensor(int64_t rows, int64_t channels, int64_t frames, int64_t side);

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  using Buffer = std::unique_ptr<float, Free>;

  Buffer acquire(int64_t floats);
  void release(int64_t floats, Buffer buffer);

  std::mutex mutex_;
  std::vector<std::pair<int64_t, Buffer>> unused_;
};

}  // namespace avbench::data
