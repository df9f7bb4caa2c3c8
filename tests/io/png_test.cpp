#include "io/png.h"

#include <gtest/gtest.h>
#include <png.h>

#include <numeric>
#include <vector>

#include "io/temp_folder.h"

namespace avbench::io {
namespace {

std::vector<uint8_t> read_back(const std::filesystem::path& path, int width, int height,
                               png_uint_32 format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_file(&image, path.c_str()));
  EXPECT_EQ(image.width, static_cast<png_uint_32>(width));
  EXPECT_EQ(image.height, static_cast<png_uint_32>(height));
  EXPECT_EQ(image.format, format);
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  EXPECT_TRUE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  return pixels;
}

TEST(WritePng, KeepsEveryPixel) {
  TempFolder folder;
  std::vector<uint8_t> pixels(7 * 5 * 3);
  std::iota(pixels.begin(), pixels.end(), uint8_t{100});
  write_png(folder / "rgb.png", pixels, 7, 5);
  EXPECT_EQ(read_back(folder / "rgb.png", 7, 5, PNG_FORMAT_RGB), pixels);

  pixels.resize(7 * 5);
  write_png(folder / "grey.png", pixels, 5, 7, 1);
  EXPECT_EQ(read_back(folder / "grey.png", 5, 7, PNG_FORMAT_GRAY), pixels);
}

TEST(WritePng, RefusesSizesThatDoNotFit) {
  TempFolder folder;
  const std::vector<uint8_t> pixels(12);
  EXPECT_THROW(write_png(folder / "x.png", pixels, 2, 3), std::invalid_argument);
  EXPECT_THROW(write_png(folder / "x.png", pixels, 2, 3, 2), std::invalid_argument);
  EXPECT_THROW(write_png(folder / "x.png", {}, 0, 0), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.png"));
}

}  // namespace
}  // namespace avbench::io
