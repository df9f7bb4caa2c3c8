// Frames and audio of one file: one open and one demux pass for any number of clips and the track.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "media/decode_limits.h"
#include "media/status.h"
#include "media/video_index.h"

namespace avbench::media {

struct ClipRequest {
  std::vector<int64_t> frame_indices;  // of frames in display order; ascending, repeats allowed
  uint8_t* out = nullptr;  // [frame_indices.size(), height, width, 3] RGB rows without padding
};

struct DecodeRequest {
  std::vector<ClipRequest> clips;
  int height = 0, width = 0;  // of the frames given, whatever the file's shape
  int sample_rate = 0;        // Hz of the audio given; 0: no audio wanted
  // Seconds after the first frame; audio outside is not given. Second negative: to the end.
  std::pair<double, double> segment{0, -1};
};

struct Decoded {
  FileStatus status = FileStatus::kOk;
  std::string message;  // why not kOk; the frames' bytes are then unspecified
  // Mono. Sample 0 is at the time of segment.first (of the first frame, if the segment is whole):
  // earlier audio is cut, a later beginning is filled with zeros.
  std::vector<float> audio;
};

// All frames of the file, into `out`: for a cache.
ClipRequest all_frames(const VideoIndex& index, uint8_t* out);

// Keeps its conversion tables from file to file: one a thread. A frame's bytes are those of
// decoding the file from its first packet on, whatever else was asked for. A damaged place that a
// decoder met after a seek is judged only after such a decoding.
class MediaReader {
 public:
  explicit MediaReader(const DecodeLimits& limits = {});
  ~MediaReader();

  // `index` is index_file(path)'s, which also says how much damage is passed over. What is in the
  // file never throws, nor does a file that cannot be opened: see the status. Throws
  // std::out_of_range for a frame index that the index lacks. A file without audio gives kNoAudio
  // if audio was asked for, and its frames.
  Decoded read(const std::filesystem::path& path, const VideoIndex& index,
               const DecodeRequest& request);

  // Decodes the whole file and corrects the index by what came out: frames, damage, extent and
  // silence of the audio (index.examined). The audio and the frames asked for are given along the
  // way, which saves a second decoding; where the index's frames changed, `reindexed` is set, and
  // what was asked for is unspecified. A failure is in the index's status too.
  Decoded examine(const std::filesystem::path& path, VideoIndex& index,
                  const DecodeRequest& request, bool& reindexed);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench::media
