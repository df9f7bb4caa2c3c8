// Threads of LibTorch and of the kernels.
#pragma once

#include <cstdint>

namespace avbench::experiment {

// `wanted`, or, where it is 0, OMP_NUM_THREADS, or what the processors suggest (thread_rule()).
void use_training_threads(int64_t wanted);

}  // namespace avbench::experiment
