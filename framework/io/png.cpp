#include "io/png.h"

#include <png.h>

#include <stdexcept>
#include <vector>

#include "io/atomic_file.h"

namespace avbench::io {

void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int width,
               int height, int channels) {
  const bool fits = width > 0 && height > 0 && (channels == 1 || channels == 3) &&
                    pixels.size() == static_cast<size_t>(width) * height * channels;
  if (!fits) {
    throw std::invalid_argument("write_png: got " + std::to_string(pixels.size()) + " bytes for " +
                                std::to_string(height) + "x" + std::to_string(width) + "x" +
                                std::to_string(channels) + ", expected 1 or 3 channels of 8 bits");
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::byte> bytes(size);
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr)) {
    throw std::runtime_error("cannot encode " + path.string() + ": " + image.message);
  }
  write_file_atomically(path, std::span(bytes).first(size));
}

}  // namespace avbench::io
