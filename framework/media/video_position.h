// Where in the video a pass over a file is. Private to this folder.
#pragma once

#include <cstdint>

#include "media/input.h"
#include "media/video_index.h"

namespace avbench::media {

// Counts the video packets. After a seek the count is unknown until a packet comes that the index
// knows.
class VideoPosition {
 public:
  explicit VideoPosition(Input& input) : input_(input) {}

  // False if the point does not lie ahead, and nothing is done. Throws SeekOvershoot if the format
  // cannot seek. `point` is kept.
  bool seek_to(const RandomAccessPoint& point);
  // To be called with each packet that comes. False before the point of the last seek; throws
  // SeekOvershoot if that is not among the packets.
  bool locate(const AVPacket& packet);

  bool known() const { return number_ != kUnknown; }
  int64_t number() const { return number_; }  // of the next packet, or of the one just located
  void advance() { ++number_; }

 private:
  static constexpr int64_t kUnknown = -1;

  Input& input_;
  int64_t number_ = 0;
  const RandomAccessPoint* awaited_ = nullptr;  // after a seek
};

}  // namespace avbench::media
