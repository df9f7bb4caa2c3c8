#include "media/video_index.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "media/fixtures.h"

namespace avbench::media {
namespace {

using namespace test;

TEST(VideoIndex, HoldsFramesRateSizeAndAudio) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.sample_rate = 24000;
  write_numbered(folder / "a.mp4", options, 45);
  const VideoIndex index = index_file(folder / "a.mp4");
  EXPECT_EQ(index.status, FileStatus::kOk) << index.message;
  EXPECT_EQ(index.frames(), 45);
  EXPECT_TRUE(std::is_sorted(index.pts.begin(), index.pts.end()));
  EXPECT_NEAR(index.time_of(30), 1, 1e-6);
  EXPECT_NEAR(index.fps, 30, 1e-6);
  EXPECT_NEAR(index.duration, 1.5, 1e-6);
  EXPECT_EQ(index.width, kWidth);
  EXPECT_EQ(index.height, kHeight);
  EXPECT_EQ(index.rotation, 0);
  EXPECT_FALSE(index.by_decoding);
  EXPECT_GE(index.reorder, 1);
  EXPECT_TRUE(index.has_audio);
  EXPECT_EQ(index.sample_rate, 24000);
  EXPECT_NEAR(index.audio_start, 0, 1e-6);
  EXPECT_NEAR(index.audio_duration, 1.5, 1e-3);
}

TEST(VideoIndex, KnowsWhereDecodingCanStart) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.gop = 10;
  write_numbered(folder / "a.mp4", options, 35);
  const VideoIndex index = index_file(folder / "a.mp4");
  ASSERT_GE(index.entries.size(), 4u);
  int64_t before = -10;
  for (const RandomAccessPoint& entry : index.entries) {
    // Nothing decoded before an IDR is shown after it: its index is its number in decoding.
    EXPECT_EQ(entry.pts, index.pts.at(entry.packet));
    EXPECT_LE(entry.packet - before, 10);
    before = entry.packet;
  }
}

TEST(VideoIndex, KeepsUnevenFrameTimes) {
  const io::TempFolder folder;
  Mp4Writer writer(folder / "a.mp4", plain_options());
  for (int i = 0; i < 12; ++i) writer.add_frame(numbered_frame(i), 1 + i % 3);
  writer.finish();
  const VideoIndex index = index_file(folder / "a.mp4");
  ASSERT_EQ(index.frames(), 12);
  double ticks = 0;
  for (int i = 0; i < 12; ++i) {
    EXPECT_NEAR(index.time_of(i), ticks / 30, 1e-4);
    ticks += 1 + i % 3;
  }
}

TEST(VideoIndex, SwapsSidesOfTurnedFrames) {
  const io::TempFolder folder;
  for (const int rotation : {0, 90, 180, 270}) {
    Mp4Options options = plain_options();
    options.rotation = rotation;
    write_numbered(folder / "a.mp4", options, 2);
    const VideoIndex index = index_file(folder / "a.mp4");
    EXPECT_EQ(index.rotation, rotation);
    EXPECT_FALSE(index.mirrored);
    EXPECT_EQ(index.width, rotation % 180 ? kHeight : kWidth);
    EXPECT_EQ(index.height, rotation % 180 ? kWidth : kHeight);
  }
}

TEST(VideoIndex, LeavesOutWhatAnEditListHides) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", plain_options(), 60);
  remux(folder / "a.mp4", folder / "cut.mp4", "mp4", -0.5);
  EXPECT_EQ(index_file(folder / "cut.mp4").frames(), 45);
}

TEST(VideoIndex, TakesTheFirstFrameAsTimeZeroWhateverTheClockSays) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.sample_rate = 24000;
  write_numbered(folder / "a.mp4", options, 30);
  for (const char* format : {"mp4", "matroska", "mpegts"}) {
    remux(folder / "a.mp4", folder / "late", format, 10);
    const VideoIndex index = index_file(folder / "late");
    EXPECT_EQ(index.frames(), 30) << format;
    EXPECT_NEAR(index.time_of(29), 29 / 30.0, 2e-3) << format;
    EXPECT_NEAR(index.origin, 10, 0.2) << format;
    EXPECT_NEAR(index.audio_start, 0, 0.05) << format;
    EXPECT_NEAR(index.audio_duration, 1, 0.08) << format;
  }
}

TEST(VideoIndex, TellsFilesWithoutAudioOrFrame) {
  const io::TempFolder folder;
  write_numbered(folder / "mute.mp4", plain_options(), 5);
  const VideoIndex mute = index_file(folder / "mute.mp4");
  EXPECT_EQ(mute.status, FileStatus::kNoAudio);
  EXPECT_EQ(mute.frames(), 5);

  Mp4Options options;
  options.sample_rate = 16000;
  Mp4Writer writer(folder / "audio.mp4", options);
  writer.add_audio(noise(8000));
  writer.finish();
  const VideoIndex audio = index_file(folder / "audio.mp4");
  EXPECT_EQ(audio.status, FileStatus::kTooShort);
  EXPECT_TRUE(audio.has_audio);
  EXPECT_NEAR(audio.audio_duration, 0.5, 1e-3);
}

TEST(VideoIndex, AFileOfOneFrameIsAFile) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", plain_options(), 1);
  const VideoIndex index = index_file(folder / "a.mp4");
  EXPECT_EQ(index.frames(), 1);
  EXPECT_NEAR(index.duration, 1 / 30.0, 1e-4);
}

TEST(VideoIndex, WhatCannotBeOpenedHasAStatus) {
  const io::TempFolder folder;
  std::filesystem::create_symlink("nowhere", folder / "dangling.mp4");
  std::filesystem::create_symlink("loop.mp4", folder / "loop.mp4");
  ASSERT_EQ(mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  for (const char* name : {"none.mp4", "dangling.mp4", "loop.mp4", "pipe.mp4", "."}) {
    const VideoIndex index = index_file(folder / name);
    EXPECT_EQ(index.status, FileStatus::kUnreadable) << name;
    EXPECT_FALSE(index.message.empty()) << name;
  }
}

}  // namespace
}  // namespace avbench::media
