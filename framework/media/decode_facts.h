// What decoding a file from its first packet to its last tells. Private to this folder.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "media/audio_track.h"
#include "media/video_index.h"

namespace avbench::media {

struct Facts {
  std::vector<int64_t> shown;  // packets that the frames came from, in order; kUnknown: no telling
  std::vector<int64_t> pts, dts;  // of the video packets, by number, as the file has them
  int64_t audio_packets = 0;
  std::set<int64_t> damaged_video, damaged_audio;  // numbers of packets
  int64_t reorder = 0;                             // as FFmpeg's probing has it
  AudioScan audio;

  static constexpr int64_t kUnknown = -1;
};

// Where the audio that came out begins and ends, on the file's clock. MP4 alone says where priming
// and padding lie, which is in its index.
Interval audio_extent(const VideoIndex& index, const Facts& facts);

}  // namespace avbench::media
