// Where a clip or a crop lies.
#pragma once

#include <cstdint>

#include "config/clip_config.h"

namespace avbench::data {

struct Crop {
  int64_t y = 0, x = 0;
  bool operator==(const Crop&) const = default;
};

struct ClipPlace {
  int64_t start = 0;  // first frame, of the file or its part
  Crop crop;          // in the resized frames
  bool mirrored = false;
  bool operator==(const ClipPlace&) const = default;
};

// Frames from a clip's first to its last, both included.
inline int64_t clip_span(const config::ClipConfig& config) {
  return (config.frames - 1) * config.stride + 1;
}

}  // namespace avbench::data
