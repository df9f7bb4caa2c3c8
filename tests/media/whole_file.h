// Files that ffmpeg makes, decoded as a whole and from everywhere.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "media/ffmpeg_program.h"
#include "media/fixtures.h"

namespace avbench::test {

inline constexpr int kRate = 24000;
inline constexpr const char* kH264 = "-c:v libx264 -g 12 -pix_fmt yuv420p ";

// One source for the process; 4 seconds.
inline const NumberedSource& source() {
  static const io::TempFolder folder;
  static const NumberedSource made(folder.path(), 100);
  return made;
}

class WholeFile : public testing::Test {
 protected:
  std::filesystem::path make(const std::string& name, const std::string& arguments) const {
    std::filesystem::path path = folder_ / name;
    ffmpeg(source().input() + arguments + " '" + path.string() + "'");
    return path;
  }

  media::VideoIndex examined(const std::filesystem::path& path) {
    media::VideoIndex index = media::index_file(path);
    bool reindexed = false;
    if (!index.examined && index.status == media::FileStatus::kOk) {
      reader_.examine(path, index, {}, reindexed);
    }
    return index;
  }

  std::vector<int> numbers(const std::filesystem::path& path, const media::VideoIndex& index) {
    std::vector<int64_t> frame_indices(index.frames());
    for (size_t i = 0; i < frame_indices.size(); ++i) frame_indices[i] = static_cast<int64_t>(i);
    const Frames all = read_clip(reader_, path, index, frame_indices, kSide, kSide);
    EXPECT_EQ(all.decoded.status, media::FileStatus::kOk) << all.decoded.message;
    std::vector<int> result;
    for (size_t i = 0; i < frame_indices.size(); ++i) {
      result.push_back(frame_number(all.at(i, kSide, kSide).data()));
    }
    return result;
  }

  // Wherever a clip begins, its bytes are those of decoding everything in order.
  void expect_same_from_every_start(const std::filesystem::path& path,
                                    const media::VideoIndex& index) {
    std::vector<int64_t> frame_indices(index.frames());
    for (size_t i = 0; i < frame_indices.size(); ++i) frame_indices[i] = static_cast<int64_t>(i);
    const Frames all = read_clip(reader_, path, index, frame_indices, kSide, kSide);
    for (int64_t start = 0; start + 4 < index.frames(); ++start) {
      const Frames clip =
          read_clip(reader_, path, index, {start, start + 1, start + 4}, kSide, kSide);
      ASSERT_EQ(clip.decoded.status, media::FileStatus::kOk)
          << start << ": " << clip.decoded.message;
      for (const auto& [place, frame_index] :
           {std::pair(0, start), {1, start + 1}, {2, start + 4}}) {
        ASSERT_TRUE(
            std::ranges::equal(clip.at(place, kSide, kSide), all.at(frame_index, kSide, kSide)))
            << frame_index;
      }
    }
  }

  std::vector<float> audio(const std::filesystem::path& path, const media::VideoIndex& index,
                           std::pair<double, double> segment) {
    const media::Decoded decoded =
        reader_.read(path, index, {.sample_rate = kRate, .segment = segment});
    EXPECT_EQ(decoded.status, media::FileStatus::kOk) << decoded.message;
    return decoded.audio;
  }

  void overwrite(const std::filesystem::path& path, Place place) const {
    std::vector<uint8_t> bytes = file_bytes(path);
    for (int64_t i = 0; i < place.bytes; ++i) bytes[place.at + i] ^= 0x5A;
    write_bytes(path, bytes);
  }

  io::TempFolder folder_;
  media::MediaReader reader_;
};

}  // namespace avbench::test
