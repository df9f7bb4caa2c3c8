// Writes MP4 files with H.264 video and AAC audio, byte for byte the same for the same input on
// one machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace avbench::media {

struct Rational {
  int num = 0, den = 1;
};

struct Mp4Options {
  int width = 0, height = 0;  // even; 0: no video
  Rational fps{30, 1};
  int crf = 23;
  int gop = 250;
  int b_frames = -1;  // -1: the preset's
  // The preset of libx264. With "veryfast" and "medium" the bytes of small frames (seen from 32 to
  // 64 pixels) differ from run to run.
  std::string preset = "superfast";
  int sample_rate = 0;  // Hz; 0: no audio
  int audio_bit_rate = 64000;
  bool index_first = false;  // the index before the media, as for streaming
  int rotation = 0;          // 0, 90, 180, 270: degrees clockwise a player turns the video
};

// Frames and audio may be added in any order and in pieces of any size; the file is interleaved as
// far as both are known, so add them roughly side by side when a file is long.
class Mp4Writer {
 public:
  // Throws UserError on options that cannot be encoded, std::runtime_error on a failure to write.
  Mp4Writer(const std::filesystem::path& path, const Mp4Options& options);
  ~Mp4Writer();  // without finish(): removes the temporary file

  // Interleaved RGB, height * width * 3 bytes; BT.601 limited range in the file. `ticks` is how
  // many frame durations it stays on screen (variable frame rate).
  void add_frame(std::span<const uint8_t> rgb24, int ticks = 1);
  void add_audio(std::span<const float> mono);  // [-1, 1]

  // Completes the file under its final name. To be called once, last.
  void finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace avbench::media
