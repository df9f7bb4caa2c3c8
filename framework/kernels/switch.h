// Whether the library's own kernels are used.
#pragma once

namespace avbench::kernels {

// False if the environment variable AVBENCH_KERNELS is "off" (or set_enabled(false) was called):
// then LibTorch's kernels compute everything. Throws UserError if it is neither "on" nor "off".
bool enabled();
void set_enabled(bool on);

}  // namespace avbench::kernels
