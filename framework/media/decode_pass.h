// One open of a file and one pass over its packets. Private to this folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "media/frame_plan.h"
#include "media/input.h"
#include "media/picture.h"
#include "media/reader.h"
#include "media/sound.h"

namespace avbench {

// What decoding a file from its first packet to its last tells.
struct Facts {
  std::vector<int64_t> shown;  // packets that the frames came from, in order; kUnknown: no telling
  std::vector<int64_t> pts, dts;  // of the video packets, by number, as the file has them
  int64_t audio_packets = 0;
  std::set<int64_t> damaged_video, damaged_audio;  // numbers of packets
  int64_t reorder = 0;                             // as FFmpeg's probing has it
  SoundScan sound;

  static constexpr int64_t kUnknown = -1;
};

// Where the sound that came out begins and ends, on the file's clock. MP4 alone says where priming
// and padding lie, which is in its index.
Interval sound_extent(const VideoIndex& index, const Facts& facts);

// The seek led behind the place that was wanted: to be repeated from the first packet on.
struct LandedLate {};

struct Source {
  const std::filesystem::path& path;
  const Budget& budget;
  const Formats& formats;
};

struct Converters {
  PictureConverter pictures;
  SoundConverter sounds;
};

// The frames of `request`, into its buffers, and its sound. Throws Unusable, and LandedLate with
// Start::kEntry.
std::vector<float> decode(const Source& source, const VideoIndex& index,
                          const DecodeRequest& request, Converters& converters, Start start);

// The same while the whole file is decoded, damage passed over and `facts` gathered; the sound goes
// to the end of what comes out. FFmpeg first probes a file whose index is `by_decoding`.
std::vector<float> decode_all(const Source& source, const VideoIndex& index,
                              const DecodeRequest& request, Converters& converters, Facts& facts);

}  // namespace avbench
