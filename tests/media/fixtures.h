// Media files made at test time. Every frame carries its number as a 4x2 grid of black and white
// blocks, so that a decoded frame tells which one it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/temp_folder.h"
#include "media/mp4_writer.h"
#include "media/reader.h"
#include "media/video_index.h"

namespace avbench::test {

inline constexpr int kWidth = 64, kHeight = 48;

std::vector<uint8_t> numbered_frame(int number, int width = kWidth, int height = kHeight);
int frame_number(std::span<const uint8_t> rgb, int width = kWidth, int height = kHeight);

// 64x48, 30 fps, B-frames, GOPs of 250; no audio.
media::Mp4Options plain_options();
// Numbered frames and, if options.sample_rate is set, deterministic noise of the same length.
void write_numbered(const std::filesystem::path& path, const media::Mp4Options& options,
                    int frames);

// Noise without repetition: its place in time can be found by correlation.
std::vector<float> noise(size_t samples, unsigned seed = 1);
std::vector<float> sine(size_t samples, double hertz, int rate);

std::vector<uint8_t> file_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, std::span<const uint8_t> bytes);

struct Frames {
  media::Decoded decoded;
  std::vector<uint8_t> rgb;
  std::span<const uint8_t> at(size_t i, int width = kWidth, int height = kHeight) const {
    const size_t bytes = size_t(3) * width * height;
    return std::span(rgb).subspan(i * bytes, bytes);
  }
};
// One clip at the given size.
Frames read_clip(media::MediaReader& reader, const std::filesystem::path& path,
                 const media::VideoIndex& index, const std::vector<int64_t>& frame_indices,
                 int width = kWidth, int height = kHeight);

// Copies the packets into another container ("mp4", "matroska", "mpegts"; "avi" for files without
// audio) with all time stamps
// moved by `shift` seconds. Moved before zero in MP4, an edit list hides the beginning.
void remux(const std::filesystem::path& from, const std::filesystem::path& to,
           const std::string& format, double shift);

// Copies the packets so that the audio is stored `lead` seconds before the frames of its time
// (negative: behind them).
void remux_with_lead(const std::filesystem::path& from, const std::filesystem::path& to,
                     const std::string& format, double lead);

// Where the packets of a stream lie in the file, by libavformat.
struct Place {
  int64_t at, bytes;
};
std::vector<Place> packet_places(const std::filesystem::path& path, bool video);

// A file whose frame is in another codec and pixel format: MJPEG in Matroska, full range.
void write_mjpeg(const std::filesystem::path& path, int frames);

// The slow twin: opens with FFmpeg's defaults, decodes every frame in order, no seeking, no
// skipping, and gives the luma plane of each.
std::vector<std::vector<uint8_t>> decode_luma(const std::filesystem::path& path);

}  // namespace avbench::test
