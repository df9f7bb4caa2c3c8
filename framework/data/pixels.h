// Decoded pixels into a batch's rows: crop, convert, interleave.
#pragma once

#include <array>
#include <cstdint>

#include "data/clip_place.h"

namespace avbench::data {

// A crop of one RGB frame [rows, width, 3] to `out` [side, side, 3] as value / 255.
void copy_frame(const uint8_t* frame, int64_t width, Crop crop, int64_t side, float* out);

// One frame [side, side, 3] left to right, in place.
void mirror_frame(int64_t side, float* frame);

// (value - mean) / std of each channel, in place; `pixels` of them, red, green and blue.
void normalise(int64_t pixels, const std::array<double, 3>& mean, const std::array<double, 3>& std,
               float* values);

// A crop of one plane [rows, width] to the first channel of `out` [side, side, channels].
void copy_plane(const float* plane, int64_t width, Crop crop, int64_t side, int64_t channels,
                float* out);

}  // namespace avbench::data
