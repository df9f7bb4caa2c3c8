// Frames and sound of one file: one open and one demux pass for any number of clips and the track.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "media/budget.h"
#include "media/status.h"
#include "media/video_index.h"

namespace avbench {

struct ClipRequest {
  std::vector<int64_t> ranks;  // of frames in display order; ascending, repeats allowed
  uint8_t* out = nullptr;      // [ranks.size(), height, width, 3] RGB rows without padding
};

struct DecodeRequest {
  std::vector<ClipRequest> clips;
  int height = 0, width = 0;  // of the frames given, whatever the file's shape
  int sample_rate = 0;        // Hz of the sound given; 0: no sound wanted
  // Seconds after the first frame; sound outside is not given. Second negative: to the end.
  std::pair<double, double> segment{0, -1};
};

struct Decoded {
  FileStatus status = FileStatus::kOk;
  std::string message;  // why not kOk; the frames' bytes are then unspecified
  // Mono. Sample 0 is at the time of segment.first (of the first frame, if the segment is whole):
  // earlier sound is cut, a later beginning is filled with zeros.
  std::vector<float> sound;
};

// All ranks of the file, into `out`: for a cache.
ClipRequest all_frames(const VideoIndex& index, uint8_t* out);

// Keeps its conversion tables from file to file: one a thread. A frame's bytes depend on the file,
// its rank and the size asked for, never on what else was asked for.
class MediaReader {
 public:
  explicit MediaReader(const Budget& budget = {});
  ~MediaReader();

  // `index` is index_file(path)'s. What is in the file never throws: see the status. Throws
  // UserError if the file cannot be opened, std::out_of_range for a rank that the index lacks.
  // A file without sound gives kNoAudio if sound was asked for, and its frames.
  Decoded read(const std::filesystem::path& path, const VideoIndex& index,
               const DecodeRequest& request);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench
