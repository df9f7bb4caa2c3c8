// What only the whole of a file tells: where it was cut, where it begins, what is damaged. The
// files are ffmpeg's; so is the decoding that ours is compared with.
#include "media/whole_file.h"

#include <cstring>

namespace avbench::media {
namespace {

using namespace test;

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

// ---- files that begin between key frames --------------------------------------------------------

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
    // The audio is that of the frames; the first may be a decoder's guess.
    size_t sure = 0;
    while (sure < shown.size() && shown[sure] >= 100) ++sure;
    ASSERT_LT(sure, 5u) << name;
    const double first =
        static_cast<double>(shown[sure]) / kFps - index.time_of(static_cast<int64_t>(sure));
    const std::vector<float> heard = audio(path, index, {0, -1});
    EXPECT_NEAR(told_time(heard, kRate, 0.8), first + 0.8, 0.03) << name;
  }
}

// ---- damage -------------------------------------------------------------------------------------

TEST_F(WholeFile, DamagedPacketsAreCountedAndConcealedAsADecoderDoes) {
  for (const char* name : {"a.mkv", "a.mp4", "a.avi"}) {
    const auto path = make(name, std::string(kH264) + "-bf 0 -c:a mp3");
    const auto video_packets = packet_places(path, true),
               audio_packets = packet_places(path, false);
    ASSERT_GT(video_packets.size(), 60u);
    // Behind the head that says how long it is.
    overwrite(path,
              {video_packets[40].at + 24, std::min<int64_t>(40, video_packets[40].bytes - 28)});
    overwrite(path, {audio_packets[30].at + 12, 30});
    const VideoIndex index = examined(path);
    EXPECT_EQ(index.status, FileStatus::kOk) << name << ": " << index.message;
    EXPECT_TRUE(index.examined);
    EXPECT_GE(index.damaged_video_packets + index.damaged_audio_packets, 1) << name;
    EXPECT_LE(index.damaged_video_packets, 3) << name;
    EXPECT_LE(index.damaged_audio_packets, 3) << name;
    EXPECT_EQ(numbers(path, index), sequential_numbers(path)) << name;
    expect_same_from_every_start(path, index);
    EXPECT_EQ(audio(path, index, {1.5, 3.5}).size(), size_t{2} * kRate);
  }
}

TEST_F(WholeFile, AnIncompleteLastPacketOfAudioIsOneDamagedPacket) {
  const auto path = make("a.ts", std::string(kH264) + "-c:a aac");
  // The last transport packet belongs to the audio in this file, and without it that is incomplete.
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
    for (size_t frame_index = 0; frame_index + 3 < shown.size(); ++frame_index) {
      // The muxer itself may place a frame one late.
      EXPECT_NEAR(index.time_of(static_cast<int64_t>(frame_index)),
                  static_cast<double>(shown[frame_index] - shown[0]) / kFps, 1.01 / kFps)
          << codec << " frame " << frame_index;
    }
    expect_same_from_every_start(path, index);
    const std::vector<float> part = audio(path, index, {1, 2});
    EXPECT_EQ(part.size(), size_t{kRate}) << codec;
    EXPECT_NEAR(told_time(part, kRate, 0.5), 1.5, 0.03) << codec;
  }
}

}  // namespace
}  // namespace avbench::media
