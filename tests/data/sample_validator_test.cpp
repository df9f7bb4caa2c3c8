#include "data/sample_validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"
#include "io/message.h"

namespace avbench::data {
namespace {

using testing::HasSubstr;

// 200 frames in 8 seconds, audio from 0.5 to 7 seconds.
media::VideoIndex whole_index() {
  media::VideoIndex index{.status = media::FileStatus::kOk,
                          .container = "mov,mp4,m4a,3gp,3g2,mj2",
                          .video_codec = "h264",
                          .audio_codec = "aac"};
  for (int64_t i = 0; i < 200; ++i) index.pts.push_back(i);
  index.time_base_num = 1;
  index.time_base_den = 25;
  index.has_audio = true;
  index.audio_start = 0.5;
  index.audio_duration = 6.5;
  index.video_packets = 200;
  index.audio_packets = 300;
  index.examined = true;
  return index;
}

Verdict verdict(const media::VideoIndex& index, std::optional<double> start = {},
                std::optional<double> end = {},
                const Requirements& requirements = {.clip = small_clip(),
                                                    .spectrogram = small_spectrogram()}) {
  const ManifestEntry item{.id = "a", .file = "a", .path = "a", .start = start, .end = end};
  const IndexEntry entry{.index = std::make_shared<const media::VideoIndex>(index)};
  return validate(make_sample(item, entry, requirements.clip), requirements,
                  media::Formats(requirements.formats));
}

TEST(SampleCheck, APartIsItsFramesAndItsAudio) {
  EXPECT_EQ(verdict(whole_index()).status, media::FileStatus::kOk);
  EXPECT_EQ(verdict(whole_index(), 2, 4).status, media::FileStatus::kOk);
  EXPECT_EQ(verdict(whole_index(), 6.5, 8).status, media::FileStatus::kOk);  // half of it has audio
  EXPECT_EQ(verdict(whole_index(), 7.9, {}).status, media::FileStatus::kTooShort);
  for (const auto& [start, end] : {std::pair(7.0, 8.0), {7.2, 8.0}, {0.0, 0.5}}) {
    const Verdict beyond = verdict(whole_index(), start, end);
    EXPECT_EQ(beyond.status, media::FileStatus::kBeyondAudio) << start;
    EXPECT_THAT(beyond.message, HasSubstr("7.00 s"));
  }
}

// A file whose second half was stamped three thousand years late.
TEST(SampleCheck, SecondsWithoutFramesTakeNoTime) {
  media::VideoIndex index = whole_index();
  for (int64_t i = 100; i < 200; ++i) index.pts[i] += int64_t{25} * 100'000'000'000;
  const ManifestEntry item{.id = "a", .file = "a", .path = "a"};
  const IndexEntry entry{.index = std::make_shared<const media::VideoIndex>(index)};
  config::ClipConfig clip = small_clip();
  clip.start = config::ClipConfig::Start::kSecond;
  EXPECT_THAT(make_sample(item, entry, clip).starts,
              testing::ElementsAre(0, 25, 50, 75, 100, 125, 150, 175));
}

TEST(SampleCheck, SilenceCountsIfItIsAllThatThePartHas) {
  media::VideoIndex index = whole_index();
  index.silent = {{0.5, 2}, {3, 7}};
  EXPECT_EQ(verdict(index).status, media::FileStatus::kOk);
  EXPECT_EQ(verdict(index, 1, 3).status, media::FileStatus::kOk);
  EXPECT_EQ(verdict(index, 0, 2).status, media::FileStatus::kSilent);
  EXPECT_EQ(verdict(index, 4, {}).status, media::FileStatus::kSilent);
  index.silent = {{0.5, 7}};
  EXPECT_EQ(verdict(index).status, media::FileStatus::kSilent);
}

TEST(SampleCheck, SamplesThatAreNotFiniteCountInTheirPart) {
  media::VideoIndex index = whole_index();
  index.not_finite = {{3, 3.001}};
  EXPECT_EQ(verdict(index).status, media::FileStatus::kNotFinite);
  EXPECT_EQ(verdict(index, 2, 4).status, media::FileStatus::kNotFinite);
  EXPECT_EQ(verdict(index, 1, 3).status, media::FileStatus::kOk);
  EXPECT_EQ(verdict(index, 3.1, 5).status, media::FileStatus::kOk);
  EXPECT_THAT(verdict(index).message, HasSubstr("3.000 s"));
}

TEST(SampleCheck, ToleratesTwoOfAHundredDamagedPacketsOrOne) {
  media::VideoIndex index = whole_index();
  index.damaged_video_packets = 4;  // 2 % of 200
  index.damaged_audio_packets = 6;  // 2 % of 300
  const Verdict listed = verdict(index);
  EXPECT_EQ(listed.status, media::FileStatus::kDamaged);
  EXPECT_TRUE(listed.usable());
  EXPECT_THAT(listed.message, testing::AllOf(HasSubstr("4 of 200"), HasSubstr("6 of 300")));
  index.damaged_audio_packets = 7;
  EXPECT_EQ(verdict(index).status, media::FileStatus::kCorrupt);
  index.audio_packets = 3;
  index.damaged_audio_packets = 1;
  EXPECT_EQ(verdict(index).status, media::FileStatus::kDamaged);
  index.damaged_audio_packets = 2;
  EXPECT_EQ(verdict(index).status, media::FileStatus::kCorrupt);

  Requirements strict{
      .clip = small_clip(), .spectrogram = small_spectrogram(), .tolerate_damage = false};
  index = whole_index();
  EXPECT_EQ(verdict(index, {}, {}, strict).status, media::FileStatus::kOk);
  index.damaged_audio_packets = 1;
  EXPECT_EQ(verdict(index, {}, {}, strict).status, media::FileStatus::kCorrupt);
  EXPECT_THAT(verdict(index, {}, {}, strict).message, HasSubstr("on_damage"));
}

TEST(SampleCheck, AnIndexOfOtherFormatsIsNoLeaveToReadThem) {
  media::VideoIndex index = whole_index();
  index.video_codec = "cinepak";
  const Verdict refused = verdict(index);
  EXPECT_EQ(refused.status, media::FileStatus::kUnsupported);
  EXPECT_THAT(refused.message, testing::AllOf(HasSubstr("cinepak"), HasSubstr("h264")));
  const Requirements trusting{
      .clip = small_clip(), .spectrogram = small_spectrogram(), .formats = {"cinepak"}};
  EXPECT_EQ(verdict(index, {}, {}, trusting).status, media::FileStatus::kOk);
  index.container = "nut";
  EXPECT_EQ(verdict(index, {}, {}, trusting).status, media::FileStatus::kUnsupported);
  EXPECT_THAT(io::user_error([] { media::Formats({"cinepack"}); }),
              testing::AllOf(HasSubstr("cinepack"), HasSubstr("cinepak")));
}

}  // namespace
}  // namespace avbench::data
