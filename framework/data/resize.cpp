#include "data/resize.h"

#include <algorithm>

namespace avbench::data {
namespace {

// Two neighbours along one axis and the second one's weight.
struct Tap {
  int64_t low, high;
  float weight;
};

std::vector<Tap> taps(int64_t from, int64_t to) {
  std::vector<Tap> result;
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  for (int64_t i = 0; i < to; ++i) {
    const double position = std::max(0.0, (static_cast<double>(i) + 0.5) * scale - 0.5);
    const auto low = std::min(static_cast<int64_t>(position), from - 1);
    result.push_back({low, std::min(low + 1, from - 1),
                      static_cast<float>(position - static_cast<double>(low))});
  }
  return result;
}

}  // namespace

std::vector<float> resize_bilinear(std::span<const float> plane, std::array<int64_t, 2> from,
                                   std::array<int64_t, 2> to) {
  const auto rows = taps(from[0], to[0]), columns = taps(from[1], to[1]);
  std::vector<float> result;
  result.reserve(to[0] * to[1]);
  for (const Tap& row : rows) {
    const float* upper = plane.data() + row.low * from[1];
    const float* lower = plane.data() + row.high * from[1];
    for (const Tap& column : columns) {
      const float top =
          upper[column.low] + column.weight * (upper[column.high] - upper[column.low]);
      const float bottom =
          lower[column.low] + column.weight * (lower[column.high] - lower[column.low]);
      result.push_back(top + row.weight * (bottom - top));
    }
  }
  return result;
}

}  // namespace avbench::data
