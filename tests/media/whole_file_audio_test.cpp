// How a file's audio is stored: where it lies, what is silent, what is none. The files are
// ffmpeg's; so is the decoding that ours is compared with.
#include <cstring>
#include <limits>

#include "media/whole_file.h"

namespace avbench::media {
namespace {

using namespace test;

TEST_F(WholeFile, AudioIsFoundHoweverFarFromItsFramesItIsStored) {
  const auto path = make("a.mp4", std::string(kH264) + "-c:a aac");
  for (const char* format : {"matroska", "mp4", "mpegts"}) {
    for (const double lead : {2.5, -2.5}) {
      const auto moved = folder_ / "moved";
      remux_with_lead(path, moved, format, lead);
      const VideoIndex index = examined(moved);
      ASSERT_EQ(index.status, FileStatus::kOk) << format << ": " << index.message;
      for (const auto& [begin, end] : {std::pair(0.5, 1.5), {1.4, 2.6}, {2.5, 3.9}}) {
        std::vector<uint8_t> rgb(size_t{3} * kSide * kSide);
        const auto frame_index = static_cast<int64_t>(begin * kFps + 3);
        const Decoded part = reader_.read(moved, index,
                                          {.clips = {{{frame_index}, rgb.data()}},
                                           .height = kSide,
                                           .width = kSide,
                                           .sample_rate = kRate,
                                           .segment = {begin, end}});
        ASSERT_EQ(part.status, FileStatus::kOk) << part.message;
        EXPECT_EQ(frame_number(rgb.data()), frame_index) << format << " " << lead;
        const double length = end - begin;
        for (const double at : {0.1 * length, 0.5 * length, 0.9 * length}) {
          EXPECT_NEAR(told_time(part.audio, kRate, at), begin + at, 0.02)
              << format << " " << lead << " " << begin;
        }
      }
    }
  }
}

TEST_F(WholeFile, TellsWhereAudioIsSilentAndWhereItIsNone) {
  // Audio from 1 to 3 seconds, silence around it.
  const auto path =
      make("quiet.mkv", std::string(kH264) + "-c:a flac -af \"volume=0:enable='lt(t,1)+gt(t,3)'\"");
  const VideoIndex quiet = examined(path);
  ASSERT_EQ(quiet.silent.size(), 2u);
  EXPECT_NEAR(quiet.silent[0].begin, 0, 0.03);
  EXPECT_NEAR(quiet.silent[0].end, 1, 0.03);
  EXPECT_NEAR(quiet.silent[1].begin, 3, 0.03);
  EXPECT_NEAR(quiet.silent[1].end, 4, 0.03);
  EXPECT_TRUE(quiet.not_finite.empty());

  // Coded silence is silence too.
  for (const char* codec : {"aac", "mp3", "libopus", "ac3", "pcm_f32le"}) {
    const auto mute = make("mute.mkv", std::string(kH264) + "-af volume=0 -c:a " + codec);
    const VideoIndex index = examined(mute);
    ASSERT_EQ(index.silent.size(), 1u) << codec;
    EXPECT_LE(index.silent[0].begin, index.audio_start + 1e-6) << codec;
    EXPECT_GE(index.silent[0].end, index.audio_end() - 1e-6) << codec;
  }
}

TEST_F(WholeFile, AHoleInTheAudioIsSilence) {
  const auto path =
      make("hole.mkv", std::string(kH264) + "-c:a flac -af \"aselect='lt(t,1)+gt(t,3)'\"");
  const VideoIndex index = examined(path);
  ASSERT_EQ(index.silent.size(), 1u);
  EXPECT_NEAR(index.silent[0].begin, 1, 0.1);
  EXPECT_NEAR(index.silent[0].end, 3, 0.1);
  EXPECT_NEAR(told_time(audio(path, index, {0, -1}), kRate, 3.5), 3.5, 0.03);
}

TEST_F(WholeFile, ChannelsWithoutAPlaceAreAveraged) {
  // Nine channels have no usual layout. Only the first one audio.
  const auto path = make("nine.mkv", "-c:v mjpeg -q:v 3 -af \"pan=9C|c0=c0\" -c:a pcm_s16le");
  const VideoIndex index = examined(path);
  ASSERT_EQ(index.status, FileStatus::kOk) << index.message;
  const std::vector<float> heard = audio(path, index, {0, -1});
  EXPECT_NEAR(told_time(heard, kRate, 2), 2, 0.02);
  EXPECT_NEAR(*std::max_element(heard.begin(), heard.end()), 0.5 / 9, 0.005);
}

TEST_F(WholeFile, ASampleRateThatNoAudioHasIsRefused) {
  const auto path = make("rate.mkv", "-c:v mjpeg -q:v 3 -c:a pcm_s16le");
  // The sampling frequency is a float of eight bytes: id B5, size 88, 48000.
  std::vector<uint8_t> bytes = file_bytes(path);
  const std::vector<uint8_t> rate{0xB5, 0x88, 0x40, 0xE7, 0x70, 0, 0, 0, 0, 0};
  const auto found = std::search(bytes.begin(), bytes.end(), rate.begin(), rate.end());
  ASSERT_NE(found, bytes.end());
  const std::vector<uint8_t> two_billion{0x41, 0xDD, 0xCD, 0x65, 0, 0, 0, 0};
  std::copy(two_billion.begin(), two_billion.end(), found + 2);
  write_bytes(path, bytes);
  const VideoIndex index = examined(path);
  EXPECT_EQ(index.status, FileStatus::kCorrupt);
  EXPECT_NE(index.message.find("Hz"), std::string::npos) << index.message;
}

TEST_F(WholeFile, ADurationThatMp4ClaimsWronglyCutsNoAudio) {
  const auto path = make("short.mp4", std::string(kH264) + "-c:a aac");
  // The media header of the audio: 24 is its version, 12 bytes before the rate stand two times.
  std::vector<uint8_t> bytes = file_bytes(path);
  const std::vector<uint8_t> rate{0, 0, 0xBB, 0x80};  // 48000 units a second
  const std::string box = "mdhd";
  auto at = bytes.begin();
  while ((at = std::search(at, bytes.end(), box.begin(), box.end())) != bytes.end()) {
    at += 4 + 12;
    if (std::equal(rate.begin(), rate.end(), at)) break;
  }
  ASSERT_NE(at, bytes.end());
  at[4] = at[5] = 0;
  at[6] = 0xBB;  // 48000 of 192000 units
  at[7] = 0x80;
  write_bytes(path, bytes);
  const VideoIndex index = examined(path);
  ASSERT_EQ(index.status, FileStatus::kOk) << index.message;
  EXPECT_NEAR(index.audio_end(), 4, 0.1);
  EXPECT_NEAR(told_time(audio(path, index, {0, -1}), kRate, 3.5), 3.5, 0.03);
}

TEST_F(WholeFile, TellsWhereSamplesAreNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 3e30f}) {
    const auto path = make("a.mkv", std::string(kH264) + "-c:a pcm_f32le");
    const std::vector<Place> audio = packet_places(path, false);
    std::vector<uint8_t> bytes = file_bytes(path);
    // A block's head has a few bytes; a sample begins at a multiple of four from the end.
    const Place place = audio[audio.size() / 2];
    const int64_t head = 4 + 4;  // of the element, then of the block
    std::memcpy(&bytes[place.at + head + 400 - (head % 4)], &bad, sizeof bad);
    write_bytes(path, bytes);
    const VideoIndex index = examined(path);
    EXPECT_EQ(index.status, FileStatus::kOk) << index.message;
    ASSERT_GE(index.not_finite.size(), 1u) << bad;
    EXPECT_NEAR(index.not_finite[0].begin, 2, 0.1) << bad;
  }
}

TEST_F(WholeFile, AudioGoesToItsOwnEnd) {
  // MPEG transport streams only estimate how long a stream is.
  const std::pair<const char*, const char*> kinds[] = {
      {"a.ts", "aac"}, {"b.ts", "mp2"}, {"a.mkv", "ac3"}, {"a.mpg", "mp2"}};
  for (const auto& [name, codec] : kinds) {
    const bool program = std::strstr(name, ".mpg") != nullptr;
    const auto path =
        make(name, (program ? std::string("-c:v mpeg2video -q:v 3 ") : std::string(kH264)) +
                       "-c:a " + codec);
    const VideoIndex index = examined(path);
    const std::vector<float> whole = audio(path, index, {0, -1});
    const std::vector<uint8_t> expected =
        ffmpeg_output("-i '" + path.string() + "' -map 0:a:0 -f f32le -ac 1 -ar 24000 -");
    const double seconds = static_cast<double>(expected.size()) / sizeof(float) / kRate;
    EXPECT_NEAR(static_cast<double>(whole.size()) / kRate, seconds + index.audio_start, 0.002)
        << name;
    EXPECT_NEAR(told_time(whole, kRate, 3.9), 3.9, 0.03) << name;
  }
}

}  // namespace
}  // namespace avbench::media
