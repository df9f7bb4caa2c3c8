// The process's peak resident memory since the last reset.
#pragma once

#include <cstdint>

namespace avbench::runtime {

// Starts a new measurement where the kernel can (Linux, /proc/self/clear_refs); elsewhere the peak
// is that of the process so far.
void reset_peak_memory();
int64_t peak_memory_bytes();

}  // namespace avbench::runtime
