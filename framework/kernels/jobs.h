// Independent jobs over the threads of LibTorch's pool.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

namespace avbench::kernels {

// Floats on a 64-byte boundary, not initialised.
class Scratch {
 public:
  explicit Scratch(int64_t count)
      : data_(static_cast<float*>(
            ::operator new (static_cast<size_t>(count) * sizeof(float), std::align_val_t{64}))) {}
  float* get() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const { ::operator delete (data, std::align_val_t{64}); }
  };
  std::unique_ptr<float, Free> data_;
};

// Calls make() once a thread, and what it returns with each job in [0, count), in any order: a
// thread that others hold up takes fewer. No job may depend on another.
template <typename Make>
void run_jobs(int64_t count, const Make& make) {
  std::atomic<int64_t> next{0};
  const auto work = [&](int64_t, int64_t) {
    auto run = make();
    for (int64_t job = next++; job < count; job = next++) run(job);
  };
  const int64_t threads = std::min<int64_t>(count, at::get_num_threads());
  at::parallel_for(0, threads, 1, work);
}

}  // namespace avbench::kernels
