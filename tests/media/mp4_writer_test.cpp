#include "media/mp4_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string_view>

#include "io/error.h"
#include "media/fixtures.h"
#include "media/status.h"

namespace avbench::media {
namespace {

using namespace test;

TEST(Mp4Writer, GivesTheSameBytesForTheSameInput) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.sample_rate = 16000;
  write_numbered(folder / "a.mp4", options, 20);
  write_numbered(folder / "b.mp4", options, 20);
  EXPECT_GT(file_bytes(folder / "a.mp4").size(), 1000u);
  EXPECT_EQ(file_bytes(folder / "a.mp4"), file_bytes(folder / "b.mp4"));
}

TEST(Mp4Writer, DoesNotCareInWhichPiecesTheAudioComes) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.sample_rate = 16000;
  write_numbered(folder / "whole.mp4", options, 20);
  const std::vector<float> audio = noise(static_cast<size_t>(std::lround(16000 * 20 / 30.0)));
  Mp4Writer writer(folder / "pieces.mp4", options);
  size_t done = 0;
  for (int i = 0; i < 20; ++i) {
    const size_t piece = i == 19 ? audio.size() - done : 500 + i;
    writer.add_audio(std::span(audio).subspan(done, piece));
    done += piece;
    writer.add_frame(numbered_frame(i));
  }
  writer.finish();
  EXPECT_EQ(file_bytes(folder / "whole.mp4"), file_bytes(folder / "pieces.mp4"));
}

TEST(Mp4Writer, LeavesNothingBehindWhenItIsNotFinished) {
  const io::TempFolder folder;
  { Mp4Writer(folder / "a.mp4", plain_options()).add_frame(numbered_frame(0)); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Mp4Writer, NeverShowsAnUnfinishedFileUnderTheFinalName) {
  const io::TempFolder folder;
  Mp4Writer writer(folder / "a.mp4", plain_options());
  writer.add_frame(numbered_frame(0));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.mp4"));
  writer.finish();
  EXPECT_TRUE(std::filesystem::exists(folder / "a.mp4"));
}

TEST(Mp4Writer, RefusesWhatCannotBeEncoded) {
  const io::TempFolder folder;
  Mp4Options odd = plain_options();
  odd.width = 63;
  EXPECT_THROW(Mp4Writer(folder / "a.mp4", odd), io::UserError);
  Mp4Options nothing;
  EXPECT_THROW(Mp4Writer(folder / "a.mp4", nothing), io::UserError);
  EXPECT_THROW(Mp4Writer(folder / "none" / "a.mp4", plain_options()), std::runtime_error);
  Mp4Writer writer(folder / "a.mp4", plain_options());
  EXPECT_THROW(writer.add_frame(std::vector<uint8_t>(10)), std::invalid_argument);
}

TEST(FileStatus, EveryStatusHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (const FileStatus status : all_statuses()) words.insert(to_string(status));
  EXPECT_EQ(words.size(), all_statuses().size());
  EXPECT_FALSE(words.contains(""));
  EXPECT_EQ(to_string(FileStatus::kNoAudio), "no_audio");
}

}  // namespace
}  // namespace avbench::media
