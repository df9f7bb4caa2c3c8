// Raised whenever the bytes that a network sees of the same file change; part of every hash.
#pragma once

#include <cstdint>

namespace avbench::data {

inline constexpr int64_t kPipelineVersion = 2;

}  // namespace avbench::data
