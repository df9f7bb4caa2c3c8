// Opening an untrusted file: own reading, white lists, budgets. Private to this folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "media/budget.h"
#include "media/ffmpeg.h"
#include "media/status.h"

namespace avbench {

// The file cannot serve: becomes a status and a message, never leaves this folder.
struct Unusable {
  FileStatus status;
  std::string message;
};

class Deadline {
 public:
  explicit Deadline(double seconds);
  bool passed() const { return std::chrono::steady_clock::now() > end_; }
  void check() const;  // throws Unusable{kTimeout}

 private:
  std::chrono::steady_clock::time_point end_;
  double seconds_;
};

// Reads with pread: a file that shrinks while it is read gives an error, not a signal.
class FileBytes {
 public:
  explicit FileBytes(const std::filesystem::path& path);  // throws UserError
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  int64_t size() const { return size_; }
  bool shrank() const { return shrank_; }
  bool read_at(int64_t offset, void* out, size_t bytes) const;  // false: not all of them

  static int read(void* self, uint8_t* out, int bytes);  // AVIO's signature
  static int64_t seek(void* self, int64_t offset, int whence);

 private:
  int descriptor_ = -1;
  int64_t size_ = 0, position_ = 0;
  bool shrank_ = false;
};

// The demultiplexer of one file with at most one stream of each kind left on.
class Input {
 public:
  // Throws UserError if the file cannot be opened, Unusable if it is no media file we accept, or
  // has another size than `expected_bytes` (unless negative).
  Input(const std::filesystem::path& path, const Budget& budget, int64_t expected_bytes = -1);

  AVStream* video() const { return video_; }  // null if there is none
  AVStream* audio() const { return audio_; }
  int64_t file_bytes() const { return file_.size(); }
  const Deadline& deadline() const { return deadline_; }

  // Null at the end of the file. Valid until the next call. Throws Unusable on damage, and when a
  // budget is used up.
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
  void check_boxes() const;
  void choose_streams();

  Budget budget_;
  Deadline deadline_;
  FileBytes file_;
  IoPtr io_;
  InputPtr format_;  // closed before io_
  PacketPtr packet_{av_packet_alloc()};
  AVStream *video_ = nullptr, *audio_ = nullptr;
  int64_t packets_ = 0;
};

}  // namespace avbench
