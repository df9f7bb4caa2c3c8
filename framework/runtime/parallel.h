// The same work for many items in a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace avbench::runtime {

// Calls `work(i, state)` once for each i in [0, n), in any order, where state = make_state() is a
// thread's own. After an exception no new item is begun, and it is thrown here.
template <class MakeState, class Work>
void for_each_in_threads(int64_t n, int64_t threads, MakeState make_state, Work work) {
  std::atomic<int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      auto state = make_state();
      for (int64_t i = next++; i < n; i = next++) work(i, state);
    } catch (...) {
      next = n;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::jthread> pool;
  for (int64_t i = 1; i < std::min(threads, n); ++i) pool.emplace_back(run);
  run();
  pool.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace avbench::runtime
