// A small drawing surface: blocks of pixels and labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace avbench::app {

class Canvas {
 public:
  // White.
  Canvas(int width, int height);

  static constexpr int kLetterWidth = 12, kLetterHeight = 14;  // pixels, space included

  void fill(int x, int y, int width, int height, uint8_t red, uint8_t green, uint8_t blue);

  // Digits, '.', '-', ' ', "s", "k", "H" and "z"; others are left blank. (x, y) is the top left.
  void write(int x, int y, std::string_view text);

  void save(const std::filesystem::path& path) const;

 private:
  int width_, height_;
  std::vector<uint8_t> pixels_;  // [height, width, 3]
};

}  // namespace avbench::app
