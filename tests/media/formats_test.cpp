// Every container and codec that avbench claims to read, made by ffmpeg's encoders and muxers at
// their defaults and compared with ffmpeg's decoding from the first packet on; the sound tells its
// time. With AVBENCH_FORMATS_TABLE=FILE, writes the rows of the table in docs/media.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "media/ffmpeg_program.h"
#include "media/fixtures.h"

namespace avbench {
namespace {

using namespace test;

struct FormatCase {
  const char* name;  // of the file
  const char* arguments;
  const char* remark = "";
  double frame_tolerance = 0.002;  // seconds by which the file's own times are off
};

constexpr FormatCase kCases[] = {
    {"h264_aac.mp4", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac", "B-frames"},
    {"h264_open_gop.mp4",
     "-c:v libx264 -x264-params open-gop=1:keyint=24:bframes=3 -pix_fmt yuv420p -c:a aac",
     "open GOPs"},
    {"h264_fragments.mp4",
     "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov",
     "fragments"},
    {"h264_444.mp4", "-c:v libx264 -g 24 -pix_fmt yuv444p -c:a aac", "4:4:4"},
    {"h264_422.mkv", "-c:v libx264 -g 24 -pix_fmt yuv422p10le -c:a flac", "4:2:2, 10 bits"},
    {"h264_intra_refresh.mkv",
     "-c:v libx264 -x264-params intra-refresh=1:keyint=24:bframes=0 -pix_fmt yuv420p -c:a ac3",
     "intra refresh"},
    {"h264.ts", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac", "B-frames"},
    {"h264_192.m2ts", "-f mpegts -mpegts_m2ts_mode 1 -c:v libx264 -g 24 -pix_fmt yuv420p -c:a ac3",
     "packets of 192 bytes"},
    {"h264.avi", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a mp3", "B-frames without times"},
    {"h264.flv", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac", "B-frames"},
    {"h264_amr.3gp", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac -ar 16000", ""},
    {"hevc.mp4", "-c:v libx265 -x265-params keyint=24:log-level=none -pix_fmt yuv420p -c:a aac",
     "open GOPs"},
    {"hevc_closed.mkv",
     "-c:v libx265 -x265-params keyint=24:open-gop=0:log-level=none -pix_fmt yuv420p -c:a libopus",
     "closed GOPs"},
    {"hevc.ts", "-c:v libx265 -x265-params keyint=24:log-level=none -pix_fmt yuv420p -c:a aac",
     "open GOPs"},
    {"vp8.webm",
     "-c:v libvpx -g 24 -b:v 300k -auto-alt-ref 1 -lag-in-frames 16 -cpu-used 8 -c:a libvorbis",
     "hidden frames"},
    {"vp9.webm",
     "-c:v libvpx-vp9 -g 24 -b:v 300k -pix_fmt yuv420p -auto-alt-ref 1 -lag-in-frames 16 -cpu-used "
     "8 -c:a libopus",
     "hidden frames"},
    {"vp9.mp4", "-c:v libvpx-vp9 -g 24 -b:v 300k -pix_fmt yuv420p -cpu-used 8 -c:a aac",
     "hidden frames"},
    {"av1.webm", "-c:v libsvtav1 -preset 12 -g 24 -pix_fmt yuv420p -c:a libopus", "hidden frames"},
    {"av1.mp4", "-c:v libsvtav1 -preset 12 -g 24 -pix_fmt yuv420p -c:a aac", "hidden frames"},
    {"theora.ogv", "-c:v libtheora -q:v 7 -g 24 -c:a libvorbis", ""},
    {"theora_opus.ogg", "-f ogg -c:v libtheora -q:v 7 -g 24 -c:a libopus", ""},
    {"mpeg1.mpg", "-c:v mpeg1video -q:v 3 -bf 2 -c:a mp2", "B-frames, few times"},
    {"mpeg2.vob", "-f vob -c:v mpeg2video -q:v 3 -bf 2 -c:a ac3", "B-frames, few times"},
    {"mpeg2.ts", "-c:v mpeg2video -q:v 3 -bf 2 -c:a mp2", "B-frames"},
    {"mpeg2.mkv", "-c:v mpeg2video -q:v 3 -bf 2 -c:a ac3", "B-frames"},
    {"mpeg2.mxf", "-c:v mpeg2video -q:v 3 -bf 2 -c:a pcm_s16le", "B-frames"},
    {"mpeg4.mp4", "-c:v mpeg4 -q:v 3 -bf 2 -c:a aac", "B-frames"},
    {"mpeg4.avi", "-c:v mpeg4 -q:v 3 -bf 2 -c:a mp3", "B-frames without times"},
    // ffmpeg writes this encoder's second frame two frames late, and all others after it.
    {"mpeg4_packed.avi", "-c:v libxvid -q:v 3 -bf 2 -c:a mp3", "packed B-frames", 0.09},
    {"mpeg4.mkv", "-c:v mpeg4 -q:v 3 -bf 2 -c:a libvorbis", "B-frames"},
    {"msmpeg4v3.avi", "-c:v msmpeg4 -q:v 3 -c:a adpcm_ms", ""},
    {"msmpeg4v2.asf", "-c:v msmpeg4v2 -q:v 3 -c:a wmav1", ""},
    {"wmv1.wmv", "-c:v wmv1 -q:v 3 -c:a wmav2", ""},
    {"wmv2.wmv", "-c:v wmv2 -q:v 3 -c:a wmav2", ""},
    {"flv1.flv", "-c:v flv -q:v 3 -c:a mp3 -ar 44100", ""},
    {"h263.3gp", "-c:v h263 -s 128x96 -q:v 3 -c:a aac", ""},
    {"mjpeg.avi", "-c:v mjpeg -q:v 3 -c:a adpcm_ima_wav", ""},
    {"mjpeg.mov", "-c:v mjpeg -q:v 3 -c:a pcm_s16be", ""},
    {"prores.mov", "-c:v prores_ks -c:a pcm_s24le", ""},
    {"dnxhd.mxf", "-c:v dnxhd -profile:v dnxhr_sq -s 256x128 -pix_fmt yuv422p -c:a pcm_s16le", ""},
    {"dv.avi", "-c:v dvvideo -s 720x576 -pix_fmt yuv420p -c:a pcm_s16le", ""},
    {"ffv1.mkv", "-c:v ffv1 -c:a flac", ""},
    {"huffyuv.avi", "-c:v huffyuv -c:a pcm_s16le", ""},
    {"raw.avi", "-c:v rawvideo -pix_fmt yuv420p -c:a pcm_u8", ""},
};

std::string name_of(const testing::TestParamInfo<FormatCase>& info) {
  std::string name = info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

// One source for all cases of the process.
const NumberedSource& source() {
  static const TempFolder folder;
  static const NumberedSource made(folder.path(), 100);
  return made;
}

class Format : public testing::TestWithParam<FormatCase> {
 protected:
  void SetUp() override {
    path_ = folder_ / GetParam().name;
    ffmpeg(source().input() + GetParam().arguments + " '" + path_.string() + "'");
    ASSERT_FALSE(HasFatalFailure());
    index_ = index_file(path_);
    ASSERT_EQ(index_.status, FileStatus::kOk) << index_.message;
    by_packets_ = !index_.examined;
    bool reindexed = false;
    reader_.examine(path_, index_, {}, reindexed);
    ASSERT_EQ(index_.status, FileStatus::kOk) << index_.message;
    EXPECT_FALSE(by_packets_ && reindexed) << "packets told other frames than decoding";
  }

  Frames read(const std::vector<int64_t>& ranks) {
    return read_clip(reader_, path_, index_, ranks, kSide, kSide);
  }

  Frames read_all() {
    std::vector<int64_t> ranks(index_.frames());
    for (size_t i = 0; i < ranks.size(); ++i) ranks[i] = static_cast<int64_t>(i);
    return read(ranks);
  }

  std::vector<int> numbers(const Frames& frames) const {
    std::vector<int> result;
    for (int64_t i = 0; i < index_.frames(); ++i) {
      result.push_back(frame_number(frames.at(i, kSide, kSide).data()));
    }
    return result;
  }

  std::vector<float> sound(std::pair<double, double> segment) {
    const DecodeRequest request{.sample_rate = kRate, .segment = segment};
    const Decoded decoded = reader_.read(path_, index_, request);
    EXPECT_EQ(decoded.status, FileStatus::kOk) << decoded.message;
    return decoded.sound;
  }

  static constexpr int kRate = 24000;
  TempFolder folder_;
  std::filesystem::path path_;
  MediaReader reader_;
  VideoIndex index_;
  bool by_packets_ = false;
};

TEST_P(Format, ReadsAsASequentialDecodeDoes) {
  const Frames all = read_all();
  ASSERT_EQ(all.decoded.status, FileStatus::kOk) << all.decoded.message;
  const std::vector<int> shown = numbers(all);
  EXPECT_EQ(shown, sequential_numbers(path_));
  ASSERT_GE(shown.size(), 95u);
  EXPECT_EQ(index_.damaged_video_packets + index_.damaged_audio_packets, 0);

  // Wherever a clip begins, its bytes are the same.
  int64_t compared = 0;
  for (const int64_t stride : {1, 3}) {
    for (int64_t start = 0; start + 3 * stride < index_.frames(); start += 1 + 2 * (stride - 1)) {
      const std::vector<int64_t> ranks{start, start + stride, start + 2 * stride,
                                       start + 3 * stride};
      const Frames clip = read(ranks);
      ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << start << ": " << clip.decoded.message;
      for (size_t i = 0; i < ranks.size(); ++i) {
        ASSERT_TRUE(std::ranges::equal(clip.at(i, kSide, kSide), all.at(ranks[i], kSide, kSide)))
            << "frame " << ranks[i] << " of a clip from " << start << " at stride " << stride;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 400);

  // Frame n was made for n / kFps seconds, and the sound tells its time.
  const double first = static_cast<double>(shown.front()) / kFps;
  double worst_frame = 0, worst_sound = 0;
  for (int64_t rank = 0; rank < index_.frames(); ++rank) {
    const double expected = static_cast<double>(shown[rank]) / kFps - first;
    worst_frame = std::max(worst_frame, std::abs(index_.time_of(rank) - expected));
  }
  EXPECT_LT(worst_frame, GetParam().frame_tolerance);
  const std::vector<float> whole = sound({0, -1});
  EXPECT_NEAR(static_cast<double>(whole.size()) / kRate, 4 - first, 0.08);
  for (const double at : {0.3, 1.1, 2.0, 2.9, 3.7}) {
    worst_sound = std::max(worst_sound, std::abs(told_time(whole, kRate, at) - first - at));
  }
  for (const auto& [begin, end] : {std::pair(0.5, 1.5), {1.3, 2.6}, {2.2, 3.6}}) {
    const std::vector<float> part = sound({begin, end});
    EXPECT_EQ(part.size(), static_cast<size_t>(std::lround((end - begin) * kRate)));
    const double middle = (end - begin) / 2;
    const double told = told_time(part, kRate, middle) - first - begin;
    worst_sound = std::max(worst_sound, std::abs(told - middle));
  }
  EXPECT_LT(worst_sound, 0.03);
  if (const char* table = std::getenv("AVBENCH_FORMATS_TABLE")) {
    std::ofstream(table, std::ios::app)
        << "| " << index_.container << " | " << index_.video_codec << " | " << index_.audio_codec
        << " | " << GetParam().remark << " | " << (by_packets_ ? "packets" : "decoding") << " | "
        << shown.size() << " | " << compared << " | " << std::lround(1e4 * worst_frame) / 10.0
        << " | " << std::lround(1e4 * worst_sound) / 10.0 << " |\n";
  }
}

INSTANTIATE_TEST_SUITE_P(All, Format, testing::ValuesIn(kCases), name_of);

}  // namespace
}  // namespace avbench
