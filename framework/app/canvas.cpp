#include "app/canvas.h"

#include <algorithm>
#include <array>
#include <utility>

#include "io/png.h"

namespace avbench::app {
namespace {

constexpr int kColumns = 5, kRows = 7, kPixel = 2;  // of a letter; side of one of its dots

// Seven rows of five dots, the leftmost in bit 4.
using Letter = std::array<uint8_t, kRows>;
constexpr std::pair<char, Letter> kLetters[] = {
    {'0', {14, 17, 19, 21, 25, 17, 14}}, {'1', {4, 12, 4, 4, 4, 4, 14}},
    {'2', {14, 17, 1, 2, 4, 8, 31}},     {'3', {31, 2, 4, 2, 1, 17, 14}},
    {'4', {2, 6, 10, 18, 31, 2, 2}},     {'5', {31, 16, 30, 1, 1, 17, 14}},
    {'6', {6, 8, 16, 30, 17, 17, 14}},   {'7', {31, 1, 2, 4, 8, 8, 8}},
    {'8', {14, 17, 17, 14, 17, 17, 14}}, {'9', {14, 17, 17, 15, 1, 2, 12}},
    {'.', {0, 0, 0, 0, 0, 12, 12}},      {'-', {0, 0, 0, 31, 0, 0, 0}},
    {'s', {0, 0, 14, 16, 14, 1, 30}},    {'k', {16, 16, 18, 20, 24, 20, 18}},
    {'H', {17, 17, 17, 31, 17, 17, 17}}, {'z', {0, 0, 31, 2, 4, 8, 31}},
};

}  // namespace

Canvas::Canvas(int width, int height)
    : width_(width), height_(height), pixels_(static_cast<size_t>(width) * height * 3, 255) {}

void Canvas::fill(int x, int y, int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
  const int right = std::min(x + width, width_), bottom = std::min(y + height, height_);
  for (int row = std::max(y, 0); row < bottom; ++row) {
    for (int column = std::max(x, 0); column < right; ++column) {
      uint8_t* pixel = &pixels_[(static_cast<size_t>(row) * width_ + column) * 3];
      pixel[0] = red;
      pixel[1] = green;
      pixel[2] = blue;
    }
  }
}

void Canvas::write(int x, int y, std::string_view text) {
  for (const char c : text) {
    for (const auto& [name, rows] : kLetters) {
      if (name != c) continue;
      for (int row = 0; row < kRows; ++row) {
        for (int column = 0; column < kColumns; ++column) {
          if ((rows[row] >> (kColumns - 1 - column) & 1) == 0) continue;
          fill(x + column * kPixel, y + row * kPixel, kPixel, kPixel, 0, 0, 0);
        }
      }
    }
    x += kLetterWidth;
  }
}

void Canvas::save(const std::filesystem::path& path) const {
  io::write_png(path, pixels_, width_, height_);
}

}  // namespace avbench::app
