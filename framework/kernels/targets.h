// Which instruction sets the kernels are compiled for: AVX-512, AVX2, and what every CPU of the
// architecture has. Included before Highway, in each file that it compiles once a set.

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_AVX3_DL | HWY_SSE4 | HWY_SSSE3)
#endif
