// PNG images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace avbench::io {

// pixels: [height, width, channels] row-major, 8 bits; channels 3 is RGB, 1 is grey. Throws
// std::invalid_argument if the size does not fit.
void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int width,
               int height, int channels = 3);

}  // namespace avbench::io
