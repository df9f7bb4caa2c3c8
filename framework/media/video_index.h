// What a file holds: made once, kept by the caller, and used to find frames without guessing from
// the frame rate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/fields.h"
#include "media/decode_limits.h"
#include "media/formats.h"
#include "media/status.h"

namespace avbench::media {

// Seconds, the end not included.
struct Interval {
  double begin = 0, end = 0;
};

// A packet from which decoding can start with nothing known (see random_access.h).
struct RandomAccessPoint {
  int64_t packet = 0;             // number among the video packets
  int64_t frame_index = 0;        // frames from this one on can be decoded from here
  int64_t pts = 0, dts = 0;       // as the file has them, to find it again ...
  int64_t bytes = 0;              // ... and its size
  double seconds = 0;             // on the file's clock
  double audio_before_until = 0;  // on the file's clock: end of the audio that is stored before it
};

struct VideoIndex {
  FileStatus status = FileStatus::kCorrupt;
  std::string message;  // why the status is not kOk

  int64_t file_bytes = 0;
  std::string container, video_codec, audio_codec;  // FFmpeg's names; empty if there is none
  int64_t video_stream = -1, audio_stream = -1;     // their numbers in the file

  double origin = 0;  // seconds on the file's clock of our time 0: first frame, else first audio
  std::vector<int64_t> pts;  // of the frames in the order of display, in units of time_base seconds
  int64_t time_base_num = 0, time_base_den = 1;
  std::vector<RandomAccessPoint> entries;  // ascending
  // The packets did not tell the frames, so that they were found by decoding the file once:
  // `packets` holds the number of the video packet that each comes from.
  bool by_decoding = false;
  std::vector<int32_t> packets;
  // Not even decoding tells which packet a frame comes from: frames can only be counted, from the
  // first packet on.
  bool counted = false;
  int64_t reorder = 0;  // frames that a decoder must hold back to give them in display order

  int64_t width = 0, height = 0;  // as displayed, after rotation
  int64_t rotation = 0;           // degrees clockwise: 0, 90, 180, 270 ...
  bool mirrored = false;          // ... after a mirroring left-right

  double fps = 0;       // mean; 0 if unknown
  double duration = 0;  // seconds from the first frame to the end of the last

  bool has_audio = false;
  int64_t sample_rate = 0;    // Hz, as stored
  double audio_start = 0;     // seconds after the origin, may be negative
  double audio_duration = 0;  // seconds

  int64_t video_packets = 0, audio_packets = 0;

  // ---- what only decoding tells ----
  bool examined = false;  // the whole file was decoded once: what follows is known
  int64_t damaged_video_packets = 0, damaged_audio_packets = 0;
  std::vector<Interval> silent;      // seconds after the origin: digital silence
  std::vector<Interval> not_finite;  // ... samples that are NaN, infinite or absurdly large

  int64_t frames() const { return static_cast<int64_t>(pts.size()); }
  // Seconds from the first frame to frame `frame_index`.
  double time_of(int64_t frame_index) const;
  double audio_end() const { return audio_start + audio_duration; }
};

template <class V>
constexpr void fields(V& v, io::MaybeConst<VideoIndex> auto& index) {
  v("status", index.status);
  v("message", index.message);
  v("file_bytes", index.file_bytes);
  v("container", index.container);
  v("video_codec", index.video_codec);
  v("audio_codec", index.audio_codec);
  v("video_stream", index.video_stream);
  v("audio_stream", index.audio_stream);
  v("origin", index.origin);
  v("pts", index.pts);
  v("time_base_num", index.time_base_num);
  v("time_base_den", index.time_base_den);
  v("entries", index.entries);
  v("by_decoding", index.by_decoding);
  v("packets", index.packets);
  v("counted", index.counted);
  v("reorder", index.reorder);
  v("width", index.width);
  v("height", index.height);
  v("rotation", index.rotation);
  v("mirrored", index.mirrored);
  v("fps", index.fps);
  v("duration", index.duration);
  v("has_audio", index.has_audio);
  v("sample_rate", index.sample_rate);
  v("audio_start", index.audio_start);
  v("audio_duration", index.audio_duration);
  v("video_packets", index.video_packets);
  v("audio_packets", index.audio_packets);
  v("examined", index.examined);
  v("damaged_video_packets", index.damaged_video_packets);
  v("damaged_audio_packets", index.damaged_audio_packets);
  v("silent", index.silent);
  v("not_finite", index.not_finite);
}
static_assert(io::lists_every_field<VideoIndex>());

// From the packets alone where they tell the frames, else by decoding the file once. Never throws
// for what is in the file, nor for one that cannot be opened: that is in the status. kNoAudio files
// have usable frames; kTooShort means no frame at all (audio only).
VideoIndex index_file(const std::filesystem::path& path, const DecodeLimits& limits = {},
                      const Formats& formats = Formats());

}  // namespace avbench::media
