// How the C library gives memory back.
#pragma once

namespace avbench::io {

// Freed memory stays with the process. A training step allocates the same tensors of up to a few
// hundred MiB as the step before; by default glibc returns each to the kernel, which hands it out
// again page by page, zeroed. Does nothing where GLIBC_TUNABLES or a MALLOC_* variable says what to
// do. Once, at the start of a program.
void keep_freed_memory();

}  // namespace avbench::io
