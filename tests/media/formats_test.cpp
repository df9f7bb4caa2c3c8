// Every container and codec that avbench claims to read, made by ffmpeg's encoders and muxers at
// their defaults and compared with ffmpeg's decoding from the first packet on; the audio tells its
// time. With AVBENCH_FORMATS_TABLE=FILE, writes the rows of the table in docs/media.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>

#include "media/ffmpeg_program.h"
#include "media/fixtures.h"

namespace avbench::media {
namespace {

using namespace test;

struct FormatCase {
  const char* name;                       // of the file
  const char *container, *video, *audio;  // as the index must say
  const char* arguments;
  const char* remark = "";
  double frame_tolerance = 0.002;  // seconds by which the file's own times are off
};

constexpr FormatCase kCases[] = {
    {"h264_aac.mp4", "mov", "h264", "aac", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac",
     "B-frames"},
    {"h264_open_gop.mp4", "mov", "h264", "aac",
     "-c:v libx264 -x264-params open-gop=1:keyint=24:bframes=3 -pix_fmt yuv420p -c:a aac",
     "open GOPs"},
    {"h264_fragments.mp4", "mov", "h264", "aac",
     "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov",
     "fragments"},
    {"h264_444.mp4", "mov", "h264", "aac", "-c:v libx264 -g 24 -pix_fmt yuv444p -c:a aac", "4:4:4"},
    {"h264_422.mkv", "matroska", "h264", "flac",
     "-c:v libx264 -g 24 -pix_fmt yuv422p10le -c:a flac", "4:2:2, 10 bits"},
    {"h264_intra_refresh.mkv", "matroska", "h264", "ac3",
     "-c:v libx264 -x264-params intra-refresh=1:keyint=24:bframes=0 -pix_fmt yuv420p -c:a ac3",
     "intra refresh"},
    {"h264.ts", "mpegts", "h264", "aac", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac",
     "B-frames"},
    {"h264_192.m2ts", "mpegts", "h264", "ac3",
     "-f mpegts -mpegts_m2ts_mode 1 -c:v libx264 -g 24 -pix_fmt yuv420p -c:a ac3",
     "packets of 192 bytes"},
    {"h264.avi", "avi", "h264", "mp3", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a mp3",
     "B-frames without times"},
    {"h264.flv", "flv", "h264", "aac", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac", "B-frames"},
    {"h264.3gp", "mov", "h264", "aac", "-c:v libx264 -g 24 -pix_fmt yuv420p -c:a aac -ar 16000",
     ""},
    {"hevc.mp4", "mov", "hevc", "aac",
     "-c:v libx265 -x265-params keyint=24:log-level=none -pix_fmt yuv420p -c:a aac", "open GOPs"},
    {"hevc_closed.mkv", "matroska", "hevc", "opus",
     "-c:v libx265 -x265-params keyint=24:open-gop=0:log-level=none -pix_fmt yuv420p -c:a libopus",
     "closed GOPs"},
    {"hevc.ts", "mpegts", "hevc", "aac",
     "-c:v libx265 -x265-params keyint=24:log-level=none -pix_fmt yuv420p -c:a aac", "open GOPs"},
    {"vp8.webm", "matroska", "vp8", "vorbis",
     "-c:v libvpx -g 24 -b:v 300k -auto-alt-ref 1 -lag-in-frames 16 -cpu-used 8 -c:a libvorbis",
     "hidden frames"},
    {"vp9.webm", "matroska", "vp9", "opus",
     "-c:v libvpx-vp9 -g 24 -b:v 300k -pix_fmt yuv420p -auto-alt-ref 1 -lag-in-frames 16 -cpu-used "
     "8 -c:a libopus",
     "hidden frames"},
    {"vp9.mp4", "mov", "vp9", "aac",
     "-c:v libvpx-vp9 -g 24 -b:v 300k -pix_fmt yuv420p -cpu-used 8 -c:a aac", "hidden frames"},
    {"av1.webm", "matroska", "av1", "opus",
     "-c:v libsvtav1 -preset 12 -g 24 -pix_fmt yuv420p -c:a libopus", "hidden frames"},
    {"av1.mp4", "mov", "av1", "aac", "-c:v libsvtav1 -preset 12 -g 24 -pix_fmt yuv420p -c:a aac",
     "hidden frames"},
    {"theora.ogv", "ogg", "theora", "vorbis", "-c:v libtheora -q:v 7 -g 24 -c:a libvorbis", ""},
    {"theora_opus.ogg", "ogg", "theora", "opus", "-f ogg -c:v libtheora -q:v 7 -g 24 -c:a libopus",
     ""},
    {"mpeg1.mpg", "mpeg", "mpeg1video", "mp2", "-c:v mpeg1video -q:v 3 -bf 2 -c:a mp2",
     "B-frames, few times"},
    {"mpeg2.vob", "mpeg", "mpeg2video", "ac3", "-f vob -c:v mpeg2video -q:v 3 -bf 2 -c:a ac3",
     "B-frames, few times"},
    {"mpeg2.ts", "mpegts", "mpeg2video", "mp2", "-c:v mpeg2video -q:v 3 -bf 2 -c:a mp2",
     "B-frames"},
    {"mpeg2.mkv", "matroska", "mpeg2video", "ac3", "-c:v mpeg2video -q:v 3 -bf 2 -c:a ac3",
     "B-frames"},
    {"mpeg2.mxf", "mxf", "mpeg2video", "pcm_s16le", "-c:v mpeg2video -q:v 3 -bf 2 -c:a pcm_s16le",
     "B-frames"},
    {"mpeg4.mp4", "mov", "mpeg4", "aac", "-c:v mpeg4 -q:v 3 -bf 2 -c:a aac", "B-frames"},
    {"mpeg4.avi", "avi", "mpeg4", "mp3", "-c:v mpeg4 -q:v 3 -bf 2 -c:a mp3",
     "B-frames without times"},
    // ffmpeg writes this encoder's second frame two frames late, and all others after it.
    {"mpeg4_packed.avi", "avi", "mpeg4", "mp3", "-c:v libxvid -q:v 3 -bf 2 -c:a mp3",
     "packed B-frames", 0.09},
    {"mpeg4.mkv", "matroska", "mpeg4", "vorbis", "-c:v mpeg4 -q:v 3 -bf 2 -c:a libvorbis",
     "B-frames"},
    {"msmpeg4v3.avi", "avi", "msmpeg4v3", "adpcm_ms", "-c:v msmpeg4 -q:v 3 -c:a adpcm_ms", ""},
    {"msmpeg4v2.asf", "asf", "msmpeg4v2", "wmav1", "-c:v msmpeg4v2 -q:v 3 -c:a wmav1", ""},
    {"wmv1.wmv", "asf", "wmv1", "wmav2", "-c:v wmv1 -q:v 3 -c:a wmav2", ""},
    {"wmv2.wmv", "asf", "wmv2", "wmav2", "-c:v wmv2 -q:v 3 -c:a wmav2", ""},
    {"flv1.flv", "flv", "flv1", "mp3", "-c:v flv -q:v 3 -c:a mp3 -ar 44100", ""},
    {"h263.3gp", "mov", "h263", "aac", "-c:v h263 -s 128x96 -q:v 3 -c:a aac", ""},
    {"mjpeg.avi", "avi", "mjpeg", "adpcm_ima_wav", "-c:v mjpeg -q:v 3 -c:a adpcm_ima_wav", ""},
    {"mjpeg.mov", "mov", "mjpeg", "pcm_s16be", "-c:v mjpeg -q:v 3 -c:a pcm_s16be", ""},
    {"prores.mov", "mov", "prores", "pcm_s24le", "-c:v prores_ks -c:a pcm_s24le", ""},
    {"dnxhd.mxf", "mxf", "dnxhd", "pcm_s16le",
     "-c:v dnxhd -profile:v dnxhr_sq -s 256x128 -pix_fmt yuv422p -c:a pcm_s16le", ""},
    {"dv.avi", "avi", "dvvideo", "pcm_s16le",
     "-c:v dvvideo -s 720x576 -pix_fmt yuv420p -c:a pcm_s16le", ""},
    {"ffv1.mkv", "matroska", "ffv1", "flac", "-c:v ffv1 -c:a flac", ""},
    {"huffyuv.avi", "avi", "huffyuv", "pcm_s16le", "-c:v huffyuv -c:a pcm_s16le", ""},
    {"raw.avi", "avi", "rawvideo", "pcm_u8", "-c:v rawvideo -pix_fmt yuv420p -c:a pcm_u8", ""},
    {"alac.mov", "mov", "mjpeg", "alac", "-c:v mjpeg -q:v 3 -c:a alac", ""},
    {"eac3.mkv", "matroska", "mjpeg", "eac3", "-c:v mjpeg -q:v 3 -c:a eac3", ""},
    {"dts.mkv", "matroska", "mjpeg", "dts", "-c:v mjpeg -q:v 3 -c:a dca -strict -2", ""},
    {"dts.ts", "mpegts", "mpeg2video", "dts", "-c:v mpeg2video -q:v 3 -c:a dca -strict -2", ""},
    {"ima.mov", "mov", "mjpeg", "adpcm_ima_qt", "-c:v mjpeg -q:v 3 -c:a adpcm_ima_qt", ""},
    {"swf.flv", "flv", "flv1", "adpcm_swf", "-c:v flv -q:v 3 -c:a adpcm_swf -ar 44100", ""},
    {"nellymoser.flv", "flv", "flv1", "nellymoser", "-c:v flv -q:v 3 -c:a nellymoser -ar 22050",
     ""},
    {"speex.flv", "flv", "flv1", "speex", "-c:v flv -q:v 3 -c:a libspeex -ar 16000", ""},
    {"speex.ogv", "ogg", "theora", "speex", "-c:v libtheora -q:v 7 -c:a libspeex -ar 32000", ""},
    {"alaw.mov", "mov", "mjpeg", "pcm_alaw", "-c:v mjpeg -q:v 3 -c:a pcm_alaw", ""},
    {"mulaw.avi", "avi", "mjpeg", "pcm_mulaw", "-c:v mjpeg -q:v 3 -c:a pcm_mulaw", ""},
    {"s8.mov", "mov", "mjpeg", "pcm_s8", "-c:v mjpeg -q:v 3 -c:a pcm_s8", ""},
    {"s24be.mov", "mov", "mjpeg", "pcm_s24be", "-c:v mjpeg -q:v 3 -c:a pcm_s24be", ""},
    {"s32le.mkv", "matroska", "ffvhuff", "pcm_s32le", "-c:v ffvhuff -c:a pcm_s32le", ""},
    {"s32be.mov", "mov", "mjpeg", "pcm_s32be", "-c:v mjpeg -q:v 3 -c:a pcm_s32be", ""},
    {"f32le.mkv", "matroska", "mjpeg", "pcm_f32le", "-c:v mjpeg -q:v 3 -c:a pcm_f32le", ""},
    {"f32be.mov", "mov", "mjpeg", "pcm_f32be", "-c:v mjpeg -q:v 3 -c:a pcm_f32be", ""},
    {"f64le.mkv", "matroska", "mjpeg", "pcm_f64le", "-c:v mjpeg -q:v 3 -c:a pcm_f64le", ""},
    {"dvd.vob", "mpeg", "mpeg2video", "pcm_dvd", "-f vob -c:v mpeg2video -q:v 3 -c:a pcm_dvd -ac 2",
     "few times"},
    {"bluray.m2ts", "mpegts", "h264", "pcm_bluray",
     "-f mpegts -mpegts_m2ts_mode 1 -c:v libx264 -g 24 -pix_fmt yuv420p -c:a pcm_bluray -ac 2",
     "packets of 192 bytes"},
};

std::string name_of(const testing::TestParamInfo<FormatCase>& info) {
  std::string name = info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

// One source for all cases of the process.
const NumberedSource& source() {
  static const io::TempFolder folder;
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
    EXPECT_TRUE(index_.container.starts_with(GetParam().container)) << index_.container;
    EXPECT_EQ(index_.video_codec, GetParam().video);
    EXPECT_EQ(index_.audio_codec, GetParam().audio);
    by_packets_ = !index_.examined;
    bool reindexed = false;
    reader_.examine(path_, index_, {}, reindexed);
    ASSERT_EQ(index_.status, FileStatus::kOk) << index_.message;
    EXPECT_FALSE(by_packets_ && reindexed) << "packets told other frames than decoding";
  }

  Frames read(const std::vector<int64_t>& frame_indices) {
    return read_clip(reader_, path_, index_, frame_indices, kSide, kSide);
  }

  Frames read_all() {
    std::vector<int64_t> frame_indices(index_.frames());
    for (size_t i = 0; i < frame_indices.size(); ++i) frame_indices[i] = static_cast<int64_t>(i);
    return read(frame_indices);
  }

  std::vector<int> numbers(const Frames& frames) const {
    std::vector<int> result;
    for (int64_t i = 0; i < index_.frames(); ++i) {
      result.push_back(frame_number(frames.at(i, kSide, kSide).data()));
    }
    return result;
  }

  std::vector<float> audio(std::pair<double, double> segment) {
    const DecodeRequest request{.sample_rate = kRate, .segment = segment};
    const Decoded decoded = reader_.read(path_, index_, request);
    EXPECT_EQ(decoded.status, FileStatus::kOk) << decoded.message;
    return decoded.audio;
  }

  int64_t compare_clips(const Frames& all, int64_t stride);
  double worst_frame(const std::vector<int>& shown) const;
  double worst_audio(double first);

  static constexpr int kRate = 24000;
  io::TempFolder folder_;
  std::filesystem::path path_;
  MediaReader reader_;
  VideoIndex index_;
  bool by_packets_ = false;
};

// Wherever a clip begins, its bytes are the same. The number of frames compared.
int64_t Format::compare_clips(const Frames& all, int64_t stride) {
  int64_t compared = 0;
  for (int64_t start = 0; start + 3 * stride < index_.frames(); start += 1 + 2 * (stride - 1)) {
    const std::vector<int64_t> frame_indices{start, start + stride, start + 2 * stride,
                                             start + 3 * stride};
    const Frames clip = read(frame_indices);
    EXPECT_EQ(clip.decoded.status, FileStatus::kOk) << start << ": " << clip.decoded.message;
    if (clip.decoded.status != FileStatus::kOk) return compared;
    for (size_t i = 0; i < frame_indices.size(); ++i) {
      EXPECT_TRUE(
          std::ranges::equal(clip.at(i, kSide, kSide), all.at(frame_indices[i], kSide, kSide)))
          << "frame " << frame_indices[i] << " of a clip from " << start << " at stride " << stride;
      ++compared;
    }
  }
  return compared;
}

// Frame n was made for n / kFps seconds. The largest deviation of a frame's time, in seconds.
double Format::worst_frame(const std::vector<int>& shown) const {
  const double first = static_cast<double>(shown.front()) / kFps;
  double worst = 0;
  for (int64_t frame_index = 0; frame_index < index_.frames(); ++frame_index) {
    const double expected = static_cast<double>(shown[frame_index]) / kFps - first;
    worst = std::max(worst, std::abs(index_.time_of(frame_index) - expected));
  }
  return worst;
}

// The audio tells its time. The largest deviation in the whole and in segments, in seconds.
double Format::worst_audio(double first) {
  double worst = 0;
  const auto examine = [&](const std::vector<float>& samples, double begin, double at) {
    const double off = told_time(samples, kRate, at) - first - begin - at;
    EXPECT_LT(std::abs(off), 0.03) << "at " << at << " of what begins at " << begin;
    worst = std::max(worst, std::abs(off));
  };
  const std::vector<float> whole = audio({0, -1});
  EXPECT_NEAR(static_cast<double>(whole.size()) / kRate, 4 - first, 0.1);
  for (const double at : {0.3, 1.1, 2.0, 2.9, 3.7}) examine(whole, 0, at);
  for (const auto& [begin, end] : {std::pair(0.5, 1.5), {1.3, 2.6}, {2.2, 3.6}}) {
    const std::vector<float> part = audio({begin, end});
    EXPECT_EQ(part.size(), static_cast<size_t>(std::lround((end - begin) * kRate)));
    examine(part, begin, (end - begin) / 2);
  }
  return worst;
}

TEST_P(Format, ReadsAsASequentialDecodeDoes) {
  const Frames all = read_all();
  ASSERT_EQ(all.decoded.status, FileStatus::kOk) << all.decoded.message;
  const std::vector<int> shown = numbers(all);
  EXPECT_EQ(shown, sequential_numbers(path_));
  ASSERT_GE(shown.size(), 95u);
  EXPECT_EQ(index_.damaged_video_packets + index_.damaged_audio_packets, 0);

  const int64_t compared = compare_clips(all, 1) + compare_clips(all, 3);
  EXPECT_GT(compared, 400);
  const double frame = worst_frame(shown);
  EXPECT_LT(frame, GetParam().frame_tolerance);
  const double audio = worst_audio(static_cast<double>(shown.front()) / kFps);
  if (const char* table = std::getenv("AVBENCH_FORMATS_TABLE")) {
    std::ofstream(table, std::ios::app)
        << "| " << GetParam().container << " | " << index_.video_codec << " | "
        << index_.audio_codec << " | " << GetParam().remark << " | "
        << (by_packets_ ? "packets" : "decoding") << " | " << shown.size() << " | " << compared
        << " | " << std::lround(1e4 * frame) / 10.0 << " | " << std::lround(1e4 * audio) / 10.0
        << " |\n";
  }
}

// What is said to be read was tried, but for what no encoder at hand writes.
TEST(Formats, AreTestedOrSaidNotToBe) {
  std::set<std::string> containers, codecs;
  for (const FormatCase& format : kCases) {
    containers.insert(format.container);
    codecs.insert({format.video, format.audio});
  }
  for (const std::string& name : untested_codecs()) {
    EXPECT_FALSE(codecs.contains(name)) << name << " is tested";
    codecs.insert(name);
  }
  const auto set_of = [](const std::vector<std::string>& names) {
    return std::set<std::string>(names.begin(), names.end());
  };
  EXPECT_EQ(containers, set_of(allowed_containers()));
  std::set<std::string> allowed = set_of(allowed_video_codecs());
  allowed.merge(set_of(allowed_audio_codecs()));
  EXPECT_EQ(codecs, allowed);
}

INSTANTIATE_TEST_SUITE_P(All, Format, testing::ValuesIn(kCases), name_of);

}  // namespace
}  // namespace avbench::media
