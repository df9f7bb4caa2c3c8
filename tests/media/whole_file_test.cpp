// What only the whole of a file tells: where it was cut, where it begins, what is damaged, how its
// sound is stored. The files are ffmpeg's; so is the decoding that ours is compared with.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "media/ffmpeg_program.h"
#include "media/fixtures.h"

namespace avbench {
namespace {

using namespace test;

constexpr int kRate = 24000;
constexpr const char* kH264 = "-c:v libx264 -g 12 -pix_fmt yuv420p ";

// One source for the process; 4 seconds.
const NumberedSource& source() {
  static const TempFolder folder;
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

  VideoIndex examined(const std::filesystem::path& path) {
    VideoIndex index = index_file(path);
    bool reindexed = false;
    if (!index.examined && index.status == FileStatus::kOk) {
      reader_.examine(path, index, {}, reindexed);
    }
    return index;
  }

  std::vector<int> numbers(const std::filesystem::path& path, const VideoIndex& index) {
    std::vector<int64_t> ranks(index.frames());
    for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = static_cast<int64_t>(i);
    const Frames all = read_clip(reader_, path, index, ranks, kSide, kSide);
    EXPECT_EQ(all.decoded.status, FileStatus::kOk) << all.decoded.message;
    std::vector<int> result;
    for (size_t i = 0; i < ranks.size(); ++i) {
      result.push_back(frame_number(all.at(i, kSide, kSide).data()));
    }
    return result;
  }

  // Wherever a clip begins, its bytes are those of decoding everything in order.
  void expect_same_from_every_start(const std::filesystem::path& path, const VideoIndex& index) {
    std::vector<int64_t> ranks(index.frames());
    for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = static_cast<int64_t>(i);
    const Frames all = read_clip(reader_, path, index, ranks, kSide, kSide);
    for (int64_t start = 0; start + 4 < index.frames(); ++start) {
      const Frames clip =
          read_clip(reader_, path, index, {start, start + 1, start + 4}, kSide, kSide);
      ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << start << ": " << clip.decoded.message;
      for (const auto& [place, rank] : {std::pair(0, start), {1, start + 1}, {2, start + 4}}) {
        ASSERT_TRUE(std::ranges::equal(clip.at(place, kSide, kSide), all.at(rank, kSide, kSide)))
            << rank;
      }
    }
  }

  std::vector<float> sound(const std::filesystem::path& path, const VideoIndex& index,
                           std::pair<double, double> segment) {
    const Decoded decoded = reader_.read(path, index, {.sample_rate = kRate, .segment = segment});
    EXPECT_EQ(decoded.status, FileStatus::kOk) << decoded.message;
    return decoded.sound;
  }

  void overwrite(const std::filesystem::path& path, Place place) const {
    std::vector<uint8_t> bytes = file_bytes(path);
    for (int64_t i = 0; i < place.bytes; ++i) bytes[place.at + i] ^= 0x5A;
    write_bytes(path, bytes);
  }

  TempFolder folder_;
  MediaReader reader_;
};

// ---- cut files ----------------------------------------------------------------------------------

TEST_F(WholeFile, ACutDownloadIsCorruptWhateverItsContainer) {
  const std::pair<const char*, std::string> kinds[] = {
      {"a.mp4", std::string(kH264) + "-c:a aac -movflags faststart"},
      {"a.mkv", std::string(kH264) + "-c:a aac"},
      {"a.webm", "-c:v libvpx -cpu-used 8 -b:v 300k -c:a libvorbis"},
      {"a.avi", "-c:v mjpeg -q:v 3 -c:a mp3"},
      {"a.ts", std::string(kH264) + "-c:a aac"},
      {"a.m2ts", std::string("-f mpegts -mpegts_m2ts_mode 1 ") + kH264 + "-c:a ac3"},
      {"a.flv", std::string(kH264) + "-c:a aac"},
      {"a.ogv", "-c:v libtheora -q:v 7 -c:a libvorbis"},
      {"a.wmv", "-c:v wmv2 -q:v 3 -c:a wmav2"},
      {"a.mxf", "-c:v mpeg2video -q:v 3 -c:a pcm_s16le"}};
  for (const auto& [name, arguments] : kinds) {
    const auto path = make(name, arguments);
    ASSERT_EQ(index_file(path).status, FileStatus::kOk) << name;
    const std::vector<uint8_t> bytes = file_bytes(path);
    for (const double part : {0.3, 0.6, 0.97}) {
      auto size = static_cast<size_t>(part * static_cast<double>(bytes.size()));
      size -= size % 188 == 0 || size % 192 == 0;  // a transport stream tells nothing there
      const auto cut = folder_ / (std::string("cut_") + name);
      write_bytes(cut, std::span(bytes).first(size));
      const VideoIndex index = index_file(cut);
      EXPECT_EQ(index.status, FileStatus::kCorrupt) << name << " " << part;
      EXPECT_NE(index.message.find("cut off"), std::string::npos) << name << ": " << index.message;
    }
  }
}

TEST_F(WholeFile, AnOpenEndedRecordingIsNotCut) {
  // Written into a pipe, neither Matroska nor FLV nor Ogg can go back and fill in their lengths.
  for (const char* format : {"matroska", "webm", "flv", "ogg", "mpegts", "asf"}) {
    const bool free = std::strcmp(format, "webm") == 0 || std::strcmp(format, "ogg") == 0;
    const std::string codecs = !free ? std::string(kH264) + "-c:a mp3 -ar 44100 "
                               : std::strcmp(format, "ogg") == 0
                                   ? "-c:v libtheora -q:v 7 -c:a libvorbis "
                                   : "-c:v libvpx -cpu-used 8 -b:v 300k -c:a libvorbis ";
    const auto path = folder_ / (std::string("pipe.") + format);
    ffmpeg(source().input() + codecs + "-f " + format + " - > '" + path.string() + "'");
    const VideoIndex index = examined(path);
    EXPECT_EQ(index.status, FileStatus::kOk) << format << ": " << index.message;
    EXPECT_EQ(index.frames(), 100) << format;
  }
}

TEST_F(WholeFile, BytesBehindTheEndOrLostInTheMiddleAreNoCut) {
  const auto with_junk = [&](const char* name, const std::string& arguments) {
    std::filesystem::path path = make(name, arguments);
    std::vector<uint8_t> bytes = file_bytes(path);
    const std::string junk = "<html>this file was served by a friendly proxy</html>";
    bytes.insert(bytes.end(), junk.begin(), junk.end());
    write_bytes(path, bytes);
    return path;
  };
  for (const auto& path : {with_junk("a.mp4", std::string(kH264) + "-c:a aac"),
                           with_junk("a.mkv", std::string(kH264) + "-c:a aac"),
                           with_junk("a.avi", "-c:v mjpeg -q:v 3 -c:a mp3")}) {
    const VideoIndex index = examined(path);
    EXPECT_EQ(index.status, FileStatus::kOk) << path << ": " << index.message;
    EXPECT_EQ(index.frames(), 100) << path;
  }
  // A transport stream without some bytes of its middle; one that begins within a packet.
  const auto lost = make("lost.ts", std::string(kH264) + "-c:a aac");
  std::vector<uint8_t> bytes = file_bytes(lost);
  const auto middle = bytes.begin() + static_cast<ptrdiff_t>(bytes.size() / 2);
  bytes.erase(middle, middle + 50);
  write_bytes(lost, bytes);
  EXPECT_EQ(index_file(lost).status, FileStatus::kOk) << index_file(lost).message;
  const auto whole =
      make("whole.m2ts", std::string("-f mpegts -mpegts_m2ts_mode 1 ") + kH264 + "-c:a ac3");
  const std::vector<uint8_t> all = file_bytes(whole);
  for (const size_t first : {1, 2, 3, 5, 100}) {
    write_bytes(whole, std::span(all).subspan(first));
    EXPECT_EQ(index_file(whole).status, FileStatus::kOk) << first;
  }
  // AVI that was written into a pipe has the largest size.
  const auto pipe = folder_ / "pipe.avi";
  ffmpeg(source().input() + "-c:v mjpeg -q:v 3 -c:a mp3 -f avi - > '" + pipe.string() + "'");
  EXPECT_EQ(index_file(pipe).status, FileStatus::kOk) << index_file(pipe).message;
}

// ---- files that begin between key frames
// ---------------------------------------------------------

TEST_F(WholeFile, ARecordingThatBeginsBetweenKeyFramesShowsWhatADecoderDoes) {
  const std::string x264 = "-c:v libx264 -pix_fmt yuv420p -x264-params keyint=24:bframes=3:";
  const std::pair<const char*, std::string> kinds[] = {
      {"open.ts", x264 + "open-gop=1 -c:a aac"},
      {"closed.ts", x264 + "open-gop=0 -c:a aac"},
      {"refresh.ts",
       "-c:v libx264 -pix_fmt yuv420p -x264-params keyint=24:bframes=0:intra-refresh=1 -c:a aac"},
      {"hevc.ts", "-c:v libx265 -x265-params keyint=24:log-level=none -pix_fmt yuv420p -c:a aac"},
      {"mpeg2.ts", "-c:v mpeg2video -q:v 3 -bf 2 -c:a mp2"}};
  for (const auto& [name, arguments] : kinds) {
    const auto path = make(name, arguments);
    const std::vector<uint8_t> bytes = file_bytes(path);
    constexpr size_t kPacket = 188;
    const size_t begin = bytes.size() * 2 / 5 / kPacket * kPacket;
    write_bytes(path, std::span(bytes).subspan(begin));
    const VideoIndex index = examined(path);
    ASSERT_EQ(index.status, FileStatus::kOk) << name << ": " << index.message;
    const std::vector<int> shown = numbers(path, index);
    EXPECT_EQ(shown, sequential_numbers(path)) << name;
    ASSERT_GT(shown.size(), 20u) << name;
    expect_same_from_every_start(path, index);
    // The sound is that of the frames; the first may be a decoder's guess.
    size_t sure = 0;
    while (sure < shown.size() && shown[sure] >= 100) ++sure;
    ASSERT_LT(sure, 5u) << name;
    const double first =
        static_cast<double>(shown[sure]) / kFps - index.time_of(static_cast<int64_t>(sure));
    const std::vector<float> heard = sound(path, index, {0, -1});
    EXPECT_NEAR(told_time(heard, kRate, 0.8), first + 0.8, 0.03) << name;
  }
}

// ---- damage -------------------------------------------------------------------------------------

TEST_F(WholeFile, DamagedPacketsAreCountedAndConcealedAsADecoderDoes) {
  for (const char* name : {"a.mkv", "a.mp4", "a.avi"}) {
    const auto path = make(name, std::string(kH264) + "-bf 0 -c:a mp3");
    const std::vector<Place> video = packet_places(path, true), audio = packet_places(path, false);
    ASSERT_GT(video.size(), 60u);
    // Behind the head that says how long it is.
    overwrite(path, {video[40].at + 24, std::min<int64_t>(40, video[40].bytes - 28)});
    overwrite(path, {audio[30].at + 12, 30});
    const VideoIndex index = examined(path);
    EXPECT_EQ(index.status, FileStatus::kOk) << name << ": " << index.message;
    EXPECT_TRUE(index.examined);
    EXPECT_GE(index.damaged_video_packets + index.damaged_audio_packets, 1) << name;
    EXPECT_LE(index.damaged_video_packets, 3) << name;
    EXPECT_LE(index.damaged_audio_packets, 3) << name;
    EXPECT_EQ(numbers(path, index), sequential_numbers(path)) << name;
    expect_same_from_every_start(path, index);
    EXPECT_EQ(sound(path, index, {1.5, 3.5}).size(), size_t{2} * kRate);
  }
}

TEST_F(WholeFile, AnIncompleteLastPacketOfSoundIsOneDamagedPacket) {
  const auto path = make("a.ts", std::string(kH264) + "-c:a aac");
  // The last transport packet belongs to the sound in this file, and without it that is incomplete.
  std::vector<uint8_t> bytes = file_bytes(path);
  constexpr size_t kPacket = 188;
  size_t size = bytes.size();
  VideoIndex index;
  for (int i = 0; i < 12 && index.damaged_audio_packets == 0; ++i) {
    size -= kPacket;
    write_bytes(path, std::span(bytes).first(size));
    index = examined(path);
    ASSERT_EQ(index.status, FileStatus::kOk) << index.message;
  }
  EXPECT_EQ(index.damaged_audio_packets, 1);
  EXPECT_EQ(index.damaged_video_packets, 0);
  EXPECT_EQ(numbers(path, index), sequential_numbers(path));
}

// Decoders read x264's 4:4:4 of versions before 151 in another way, if the message of the first
// packet tells them the version: here a new stream that says it was an old one.
TEST_F(WholeFile, WhatTheFirstPacketTellsTheDecoderIsKnownAfterASeek) {
  const auto path = make("a.mkv", "-c:v libx264 -g 12 -pix_fmt yuv444p -c:a aac");
  std::vector<uint8_t> bytes = file_bytes(path);
  const std::string text = "x264 - core 1";
  const auto found = std::search(bytes.begin(), bytes.end(), text.begin(), text.end());
  ASSERT_NE(found, bytes.end());
  found[13] = '4';
  found[14] = '0';
  write_bytes(path, bytes);
  const VideoIndex index = examined(path);
  ASSERT_EQ(index.status, FileStatus::kOk) << index.message;
  EXPECT_EQ(numbers(path, index), sequential_numbers(path));
  expect_same_from_every_start(path, index);
}

// ---- sound --------------------------------------------------------------------------------------

TEST_F(WholeFile, SoundIsFoundHoweverFarFromItsFramesItIsStored) {
  const auto path = make("a.mp4", std::string(kH264) + "-c:a aac");
  for (const char* format : {"matroska", "mp4", "mpegts"}) {
    for (const double lead : {2.5, -2.5}) {
      const auto moved = folder_ / "moved";
      remux_with_lead(path, moved, format, lead);
      const VideoIndex index = examined(moved);
      ASSERT_EQ(index.status, FileStatus::kOk) << format << ": " << index.message;
      for (const auto& [begin, end] : {std::pair(0.5, 1.5), {1.4, 2.6}, {2.5, 3.9}}) {
        std::vector<uint8_t> rgb(size_t{3} * kSide * kSide);
        const auto rank = static_cast<int64_t>(begin * kFps + 3);
        const Decoded part = reader_.read(moved, index,
                                          {.clips = {{{rank}, rgb.data()}},
                                           .height = kSide,
                                           .width = kSide,
                                           .sample_rate = kRate,
                                           .segment = {begin, end}});
        ASSERT_EQ(part.status, FileStatus::kOk) << part.message;
        EXPECT_EQ(frame_number(rgb.data()), rank) << format << " " << lead;
        const double length = end - begin;
        for (const double at : {0.1 * length, 0.5 * length, 0.9 * length}) {
          EXPECT_NEAR(told_time(part.sound, kRate, at), begin + at, 0.02)
              << format << " " << lead << " " << begin;
        }
      }
    }
  }
}

TEST_F(WholeFile, TellsWhereSoundIsSilentAndWhereItIsNone) {
  // Sound from 1 to 3 seconds, silence around it.
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

TEST_F(WholeFile, AHoleInTheSoundIsSilence) {
  const auto path =
      make("hole.mkv", std::string(kH264) + "-c:a flac -af \"aselect='lt(t,1)+gt(t,3)'\"");
  const VideoIndex index = examined(path);
  ASSERT_EQ(index.silent.size(), 1u);
  EXPECT_NEAR(index.silent[0].begin, 1, 0.1);
  EXPECT_NEAR(index.silent[0].end, 3, 0.1);
  EXPECT_NEAR(told_time(sound(path, index, {0, -1}), kRate, 3.5), 3.5, 0.03);
}

TEST_F(WholeFile, ChannelsWithoutAPlaceAreAveraged) {
  // Nine channels have no usual layout. Only the first one sounds.
  const auto path = make("nine.mkv", "-c:v mjpeg -q:v 3 -af \"pan=9C|c0=c0\" -c:a pcm_s16le");
  const VideoIndex index = examined(path);
  ASSERT_EQ(index.status, FileStatus::kOk) << index.message;
  const std::vector<float> heard = sound(path, index, {0, -1});
  EXPECT_NEAR(told_time(heard, kRate, 2), 2, 0.02);
  EXPECT_NEAR(*std::max_element(heard.begin(), heard.end()), 0.5 / 9, 0.005);
}

TEST_F(WholeFile, ASampleRateThatNoSoundHasIsRefused) {
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

TEST_F(WholeFile, ADurationThatMp4ClaimsWronglyCutsNoSound) {
  const auto path = make("short.mp4", std::string(kH264) + "-c:a aac");
  // The media header of the sound: 24 is its version, 12 bytes before the rate stand two times.
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
  EXPECT_NEAR(told_time(sound(path, index, {0, -1}), kRate, 3.5), 3.5, 0.03);
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

TEST_F(WholeFile, SoundGoesToItsOwnEnd) {
  // MPEG transport streams only estimate how long a stream is.
  const std::pair<const char*, const char*> kinds[] = {
      {"a.ts", "aac"}, {"b.ts", "mp2"}, {"a.mkv", "ac3"}, {"a.mpg", "mp2"}};
  for (const auto& [name, codec] : kinds) {
    const bool program = std::strstr(name, ".mpg") != nullptr;
    const auto path =
        make(name, (program ? std::string("-c:v mpeg2video -q:v 3 ") : std::string(kH264)) +
                       "-c:a " + codec);
    const VideoIndex index = examined(path);
    const std::vector<float> whole = sound(path, index, {0, -1});
    const std::vector<uint8_t> expected =
        ffmpeg_output("-i '" + path.string() + "' -map 0:a:0 -f f32le -ac 1 -ar 24000 -");
    const double seconds = static_cast<double>(expected.size()) / sizeof(float) / kRate;
    EXPECT_NEAR(static_cast<double>(whole.size()) / kRate, seconds + index.audio_start, 0.002)
        << name;
    EXPECT_NEAR(told_time(whole, kRate, 3.9), 3.9, 0.03) << name;
  }
}

// ---- times --------------------------------------------------------------------------------------

TEST_F(WholeFile, RepeatedFramesOfACaptureCardTakeTheirTime) {
  // AVI writes an empty chunk for a frame that is shown again.
  for (const char* codec : {"mpeg4 -bf 2", "mpeg4 -bf 0", "mjpeg", "libx264 -pix_fmt yuv420p"}) {
    const auto path = make("gaps.avi", std::string("-vf \"select='lt(mod(n,8),5)'\" -vsync vfr ") +
                                           "-c:v " + codec + " -q:v 3 -c:a pcm_s16le");
    const VideoIndex index = examined(path);
    ASSERT_EQ(index.status, FileStatus::kOk) << codec << ": " << index.message;
    const std::vector<int> shown = numbers(path, index);
    EXPECT_EQ(shown, sequential_numbers(path)) << codec;
    EXPECT_EQ(shown.size(), 64u) << codec;
    for (size_t rank = 0; rank + 3 < shown.size(); ++rank) {
      // The muxer itself may place a frame one late.
      EXPECT_NEAR(index.time_of(static_cast<int64_t>(rank)),
                  static_cast<double>(shown[rank] - shown[0]) / kFps, 1.01 / kFps)
          << codec << " frame " << rank;
    }
    expect_same_from_every_start(path, index);
    const std::vector<float> part = sound(path, index, {1, 2});
    EXPECT_EQ(part.size(), size_t{kRate}) << codec;
    EXPECT_NEAR(told_time(part, kRate, 0.5), 1.5, 0.03) << codec;
  }
}

}  // namespace
}  // namespace avbench
