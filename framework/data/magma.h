// The colour map MAGMA by Nathaniel J. Smith and Stefan van der Walt, dedicated to the public
// domain (CC0): the 256 entries that Matplotlib has, in bytes.
#pragma once

#include <cstdint>

namespace avbench::data {

// 0xRRGGBB of entry 0 (black) to 255 (pale yellow).
uint32_t magma(int64_t entry);

}  // namespace avbench::data
