// Bilinear resizing of one plane of floats.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace avbench::data {

// [from] -> [to], both {rows, columns}: half-pixel centres, edges repeated, no antialiasing.
std::vector<float> resize_bilinear(std::span<const float> plane, std::array<int64_t, 2> from,
                                   std::array<int64_t, 2> to);

}  // namespace avbench::data
