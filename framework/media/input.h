// Opening an untrusted file: own reading, lists of what is allowed, limits. Private to this folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "media/decode_limits.h"
#include "media/ffmpeg.h"
#include "media/file_bytes.h"
#include "media/formats.h"

namespace avbench::media {

// The demultiplexer of one file with at most one stream of each kind left on.
class Input {
 public:
  struct Options {
    bool check_whole = false;                      // refuse a file whose end is missing
    int64_t expected_bytes = -1;                   // another size is refused, unless negative
    int64_t video_stream = -1, audio_stream = -1;  // negative: FFmpeg's choice
    bool probe = false;  // let FFmpeg decode a little, to find what only decoding tells
    double seconds = 0;  // wall clock; 0: the limits'
  };

  // Throws Unusable if the file is no media file that we accept.
  Input(const std::filesystem::path& path, const DecodeLimits& limits, const Formats& formats,
        const Options& options);

  AVStream* video() const { return video_; }  // null if there is none
  AVStream* audio() const { return audio_; }
  int64_t file_bytes() const { return file_.size(); }
  const char* container() const { return format_->iformat->name; }
  const Deadline& deadline() const { return deadline_; }

  // Null at the end of the file. Valid, and open to change, until the next call. Throws Unusable on
  // a failure to read, and when a limit is exceeded.
  AVPacket* next();

  // To the last packet with a time stamp of at most `dts`, or somewhere near; false if the format
  // cannot do it.
  bool seek(const AVStream& stream, int64_t dts);

  // A decoder for one of the streams, on one thread. Throws Unusable.
  CodecContextPtr open_decoder(const AVStream& stream) const;

  [[noreturn]] void fail(int code, const std::string& what) const;

 private:
  static int interrupted(void* self);
  void check_size(int64_t expected_bytes) const;
  void open(const Formats& formats, bool check_whole);
  void choose_streams(const Options& options);
  AVStream* stream_of(AVMediaType kind, int64_t number) const;
  void require_codec(const AVStream* stream, const Formats& formats) const;

  DecodeLimits limits_;
  Deadline deadline_;
  FileBytes file_;
  std::string decoders_;  // that may be opened
  IoPtr io_;
  InputPtr format_;  // closed before io_
  PacketPtr packet_{av_packet_alloc()};
  AVStream *video_ = nullptr, *audio_ = nullptr;
  int64_t packets_ = 0;
};

}  // namespace avbench::media
