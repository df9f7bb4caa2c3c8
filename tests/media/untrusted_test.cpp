// Damaged and hostile files: a status and a message, never a crash, never an endless loop.
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <random>

#include "media/fixtures.h"
#include "media/reader.h"

namespace avbench::media {
namespace {

using namespace test;

Mp4Options options_with_audio() {
  Mp4Options options = plain_options();
  options.sample_rate = 16000;
  return options;
}

// Index, then all frames and the audio; the worst status of both.
FileStatus read_everything(const std::filesystem::path& path, const DecodeLimits& limits = {}) {
  const VideoIndex index = index_file(path, limits);
  if (index.status != FileStatus::kOk) {
    EXPECT_FALSE(index.message.empty());
    return index.status;
  }
  std::vector<uint8_t> rgb(size_t(index.frames()) * 3 * kWidth * kHeight);
  DecodeRequest request{{all_frames(index, rgb.data())}, kHeight, kWidth, 16000, {0, -1}};
  const Decoded decoded = MediaReader(limits).read(path, index, request);
  EXPECT_EQ(decoded.status == FileStatus::kOk, decoded.message.empty());
  return decoded.status;
}

TEST(UntrustedFile, EmptyFilesAndTextAreCorrupt) {
  const io::TempFolder folder;
  write_bytes(folder / "empty.mp4", {});
  EXPECT_EQ(read_everything(folder / "empty.mp4"), FileStatus::kCorrupt);
  std::ofstream(folder / "text.mp4") << "This is not a video, whatever its name says.\n";
  EXPECT_EQ(read_everything(folder / "text.mp4"), FileStatus::kCorrupt);
  std::ofstream(folder / "list.mp4")
      << "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n";
  const VideoIndex list = index_file(folder / "list.mp4");
  EXPECT_EQ(list.status, FileStatus::kUnsupported);
  EXPECT_NE(list.message.find("format hls"), std::string::npos) << list.message;
  EXPECT_NE(list.message.find("allowed are mov"), std::string::npos) << list.message;
}

TEST(UntrustedFile, ATruncatedFileIsCorruptWhereverItEnds) {
  const io::TempFolder folder;
  for (const bool index_first : {false, true}) {
    Mp4Options options = options_with_audio();
    options.index_first = index_first;
    write_numbered(folder / "a.mp4", options, 30);
    const std::vector<uint8_t> bytes = file_bytes(folder / "a.mp4");
    for (size_t size = 1; size + 64 < bytes.size(); size += bytes.size() / 60) {
      write_bytes(folder / "cut.mp4", std::span(bytes).first(size));
      EXPECT_EQ(read_everything(folder / "cut.mp4"), FileStatus::kCorrupt)
          << size << " of " << bytes.size() << (index_first ? " index first" : "");
    }
  }
}

TEST(UntrustedFile, FlippedBitsNeverCrash) {
  const io::TempFolder folder;
  Mp4Options options = options_with_audio();
  options.index_first = true;
  write_numbered(folder / "a.mp4", options, 20);
  const std::vector<uint8_t> bytes = file_bytes(folder / "a.mp4");
  std::mt19937 random(5);
  int noticed = 0;
  for (int trial = 0; trial < 150; ++trial) {
    std::vector<uint8_t> flipped = bytes;
    for (int i = 0; i < 1 + trial % 8; ++i) {
      flipped[random() % flipped.size()] ^= static_cast<uint8_t>(1 << random() % 8);
    }
    write_bytes(folder / "flipped.mp4", flipped);
    noticed += read_everything(folder / "flipped.mp4") != FileStatus::kOk;
  }
  EXPECT_GT(noticed, 40);
}

TEST(UntrustedFile, ShuffledIndexNeverCrashes) {
  const io::TempFolder folder;
  Mp4Options options = options_with_audio();
  options.index_first = true;
  write_numbered(folder / "a.mp4", options, 20);
  const std::vector<uint8_t> bytes = file_bytes(folder / "a.mp4");
  std::mt19937 random(6);
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<uint8_t> shuffled = bytes;
    const size_t at = 40 + random() % 1500, length = 4 * (1 + random() % 40);
    std::shuffle(shuffled.begin() + at, shuffled.begin() + std::min(at + length, bytes.size()),
                 random);
    write_bytes(folder / "shuffled.mp4", shuffled);
    read_everything(folder / "shuffled.mp4");
  }
}

TEST(UntrustedFile, AFileThatChangedSinceItsIndexIsNotRead) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", options_with_audio(), 30);
  const VideoIndex index = index_file(folder / "a.mp4");
  std::filesystem::resize_file(folder / "a.mp4", index.file_bytes / 2);
  MediaReader reader;
  const Frames clip = read_clip(reader, folder / "a.mp4", index, {20});
  EXPECT_EQ(clip.decoded.status, FileStatus::kUnreadable);
  EXPECT_NE(clip.decoded.message.find("when it was indexed"), std::string::npos);
}

TEST(UntrustedFile, LimitsHold) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", options_with_audio(), 30);
  DecodeLimits time;
  time.seconds = 0;
  EXPECT_EQ(read_everything(folder / "a.mp4", time), FileStatus::kTimeout);
  DecodeLimits bytes;
  bytes.file_bytes = 1000;
  EXPECT_EQ(read_everything(folder / "a.mp4", bytes), FileStatus::kCorrupt);
  DecodeLimits packets;
  packets.packets = 20;
  EXPECT_EQ(read_everything(folder / "a.mp4", packets), FileStatus::kCorrupt);
  DecodeLimits frames;
  frames.frames = 29;
  EXPECT_EQ(read_everything(folder / "a.mp4", frames), FileStatus::kCorrupt);
  DecodeLimits pixels;
  pixels.pixels = kWidth * kHeight - 1;
  EXPECT_EQ(read_everything(folder / "a.mp4", pixels), FileStatus::kCorrupt);
  DecodeLimits audio;
  audio.audio_seconds = 0.5;
  EXPECT_EQ(read_everything(folder / "a.mp4", audio), FileStatus::kCorrupt);
  EXPECT_EQ(read_everything(folder / "a.mp4"), FileStatus::kOk);
}

}  // namespace
}  // namespace avbench::media
