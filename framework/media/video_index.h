// What a file holds, found by demuxing alone: made once, kept by the caller, and used to find
// frames without guessing from the frame rate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "media/budget.h"
#include "media/status.h"

namespace avbench {

// A packet from which decoding can start with nothing known: an IDR in H.264 and HEVC (not merely
// the container's key flag), a key frame elsewhere.
struct EntryPoint {
  int64_t pts = 0, dts = 0;  // in time_base
  int64_t packet = 0;        // number among the video packets
};

struct VideoIndex {
  FileStatus status = FileStatus::kCorrupt;
  std::string message;  // why the status is not kOk

  int64_t file_bytes = 0;

  double origin = 0;  // seconds on the file's clock of our time 0: first frame, else first sound
  std::vector<int64_t> pts;  // of the displayable frames, ascending, in time_base seconds
  int64_t time_base_num = 0, time_base_den = 1;
  std::vector<EntryPoint> entries;  // ascending
  // Time stamps are missing or repeated: frames can only be counted from the start of the file.
  // `pts` then holds their numbers, counted by decoding once.
  bool sequential = false;
  int reorder = 0;  // frames that a decoder must hold back to give them in display order

  int width = 0, height = 0;  // as displayed, after rotation
  int rotation = 0;           // degrees clockwise: 0, 90, 180, 270 ...
  bool mirrored = false;      // ... after a mirroring left-right

  double fps = 0;       // mean; 0 if unknown
  double duration = 0;  // seconds from the first frame to the end of the last

  bool has_audio = false;
  int sample_rate = 0;        // Hz, as stored
  double audio_start = 0;     // seconds after the origin, may be negative
  double audio_duration = 0;  // seconds

  int64_t frames() const { return static_cast<int64_t>(pts.size()); }
  // Seconds from the first frame to frame `rank`.
  double time_of(int64_t rank) const;
};

// Never throws for what is in the file: that is in the status. kNoAudio files have usable frames;
// kTooShort means no frame at all (sound only). Throws UserError if the file cannot be opened.
VideoIndex index_file(const std::filesystem::path& path, const Budget& budget = {});

}  // namespace avbench
