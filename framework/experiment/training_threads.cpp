#include "experiment/training_threads.h"

#include <ATen/Parallel.h>

#include <cstdlib>

#include "io/processors.h"

namespace avbench::experiment {

void use_training_threads(int64_t wanted) {
  if (wanted == 0 && std::getenv("OMP_NUM_THREADS") != nullptr) return;
  if (wanted == 0) wanted = io::thread_rule(io::processors().usable()).threads;
  at::set_num_threads(static_cast<int>(wanted));
}

}  // namespace avbench::experiment
