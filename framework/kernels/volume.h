// Shapes of what the convolutions take, in channels_last_3d order.
#pragma once

#include <array>
#include <cstdint>

namespace avbench::kernels {

using Extent = std::array<int64_t, 3>;  // time, height, width

// [batch, frames, height, width, channels], without gaps.
struct Volume {
  int64_t batch, frames, height, width, channels;

  int64_t frame_size() const { return height * width * channels; }
  int64_t size() const { return batch * frames * frame_size(); }
};

// The taps of one output frame that fall into the input.
struct TapRange {
  int64_t begin, end;
  bool operator==(const TapRange&) const = default;
};
inline TapRange taps_of(int64_t output, int64_t stride, int64_t padding, int64_t kernel,
                        int64_t input_size) {
  const int64_t first = output * stride - padding;
  return {first < 0 ? -first : 0, first + kernel > input_size ? input_size - first : kernel};
}

}  // namespace avbench::kernels
