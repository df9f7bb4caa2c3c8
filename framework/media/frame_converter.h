// From a decoded frame to RGB of the size asked for. Private to this folder.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "media/ffmpeg.h"

namespace avbench::media {

// How a stored frame has to be turned for display: mirrored left-right first, then clockwise.
struct Orientation {
  int rotation = 0;
  bool mirrored = false;
};

class FrameConverter {
 public:
  // out: [height, width, 3]. False if the frame's pixel format cannot be converted.
  bool convert(const AVFrame& frame, Orientation orientation, int height, int width, uint8_t* out);

 private:
  // width, height, format, colour matrix, full range; width and height after scaling
  using Key = std::tuple<int, int, int, int, bool, int, int>;
  SwsContext* scaler(const Key& key);

  std::map<Key, SwsPtr> scalers_;
  std::vector<uint8_t> planes_;  // green, blue, red of the scaled frame
};

}  // namespace avbench::media
