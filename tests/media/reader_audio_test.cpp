#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "media/fixtures.h"
#include "media/reader.h"

namespace avbench::media {
namespace {

using namespace test;

std::vector<float> read_audio(const std::filesystem::path& path, int rate,
                              std::pair<double, double> segment = {0, -1}) {
  DecodeRequest request;
  request.sample_rate = rate;
  request.segment = segment;
  const Decoded decoded = MediaReader().read(path, index_file(path), request);
  EXPECT_EQ(decoded.status, FileStatus::kOk) << decoded.message;
  return decoded.audio;
}

double correlation(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 1e-12, bb = 1e-12;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

// Samples by which `heard` comes later than `played`.
int delay(const std::vector<float>& played, const std::vector<float>& heard, int most) {
  int best = 0;
  double highest = -1;
  for (int lag = -most; lag <= most; ++lag) {
    const double match = correlation(std::span(played).subspan(most, 8000),
                                     std::span(heard).subspan(most + lag, 8000));
    if (match > highest) highest = match, best = lag;
  }
  EXPECT_GT(highest, 0.9);
  return best;
}

Mp4Options audio_options(int rate) {
  Mp4Options options = plain_options();
  options.sample_rate = rate;
  options.audio_bit_rate = 96000;
  return options;
}

TEST(MediaReader, AudioIsWhereItWasWrittenAndAsLong) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", audio_options(24000), 61);  // 48800 samples
  const std::vector<float> heard = read_audio(folder / "a.mp4", 24000);
  EXPECT_EQ(heard.size(), 48800u);
  EXPECT_EQ(delay(noise(48800), heard, 1500), 0);
}

TEST(MediaReader, AudioKeepsItsPlaceInOtherContainersAndClocks) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", audio_options(24000), 61);
  for (const char* format : {"mp4", "matroska", "mpegts"}) {
    remux(folder / "a.mp4", folder / "late", format, 10);
    const std::vector<float> heard = read_audio(folder / "late", 24000);
    EXPECT_NEAR(delay(noise(48800), heard, 1500), 0, 30) << format;
  }
  remux(folder / "a.mp4", folder / "cut.mp4", "mp4", -0.5);
  const std::vector<float> heard = read_audio(folder / "cut.mp4", 24000);
  std::vector<float> rest = noise(48800);
  rest.erase(rest.begin(), rest.begin() + 12000);
  EXPECT_NEAR(delay(rest, heard, 1500), 0, 30);
}

TEST(MediaReader, ResampledSineKeepsPitchPhaseAndLength) {
  const io::TempFolder folder;
  Mp4Options options = audio_options(44100);
  Mp4Writer writer(folder / "a.mp4", options);
  for (int i = 0; i < 30; ++i) writer.add_frame(numbered_frame(i));
  writer.add_audio(sine(44100, 440, 44100));
  writer.finish();
  const std::vector<float> heard = read_audio(folder / "a.mp4", 16000);
  ASSERT_EQ(heard.size(), 16000u);
  double in_phase = 0, quadrature = 0;
  for (int i = 2000; i < 14000; ++i) {  // 330 whole periods
    in_phase += heard[i] * std::sin(2 * M_PI * 440 * i / 16000) / 6000;
    quadrature += heard[i] * std::cos(2 * M_PI * 440 * i / 16000) / 6000;
  }
  EXPECT_NEAR(in_phase, 0.5, 0.03);
  EXPECT_NEAR(quadrature / in_phase, 0, 0.01);  // a sample's delay would be 0.17
}

TEST(MediaReader, ASegmentIsThatPartOfTheTrack) {
  const io::TempFolder folder;
  Mp4Options options = audio_options(24000);
  options.gop = 15;
  write_numbered(folder / "a.mp4", options, 180);
  const std::vector<float> whole = read_audio(folder / "a.mp4", 24000);
  const std::vector<float> part = read_audio(folder / "a.mp4", 24000, {3.5, 4.25});
  ASSERT_EQ(part.size(), 18000u);
  for (size_t i = 0; i < part.size(); ++i) ASSERT_NEAR(part[i], whole[84000 + i], 1e-6) << i;
  EXPECT_EQ(read_audio(folder / "a.mp4", 24000, {5.5, 9}).size(), 12000u);
}

TEST(MediaReader, ASegmentsFramesAndAudioComeTogether) {
  const io::TempFolder folder;
  Mp4Options options = audio_options(24000);
  options.gop = 15;
  write_numbered(folder / "a.mp4", options, 180);
  const VideoIndex index = index_file(folder / "a.mp4");
  std::vector<uint8_t> rgb(size_t(2) * 3 * kWidth * kHeight);
  DecodeRequest request{{{{100, 130}, rgb.data()}}, kHeight, kWidth, 24000, {3, 5}};
  const Decoded decoded = MediaReader().read(folder / "a.mp4", index, request);
  ASSERT_EQ(decoded.status, FileStatus::kOk) << decoded.message;
  EXPECT_EQ(frame_number(rgb), 100);
  EXPECT_EQ(frame_number(std::span(rgb).subspan(rgb.size() / 2)), 130);
  const std::vector<float> written = noise(24000 * 6);
  EXPECT_GT(correlation(decoded.audio, std::span(written).subspan(72000, 48000)), 0.9);
}

TEST(MediaReader, ReadsAudioOfAFileWithoutFrame) {
  const io::TempFolder folder;
  Mp4Options options;
  options.sample_rate = 16000;
  Mp4Writer writer(folder / "a.mp4", options);
  writer.add_audio(noise(20000));
  writer.finish();
  const std::vector<float> heard = read_audio(folder / "a.mp4", 16000);
  EXPECT_EQ(heard.size(), 20000u);
  EXPECT_EQ(delay(noise(20000), heard, 1500), 0);
}

TEST(MediaReader, AMuteFileGivesItsFramesAndSaysSo) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", plain_options(), 5);
  std::vector<uint8_t> rgb(size_t(3) * kWidth * kHeight);
  DecodeRequest request{{{{4}, rgb.data()}}, kHeight, kWidth, 24000, {0, -1}};
  const Decoded decoded =
      MediaReader().read(folder / "a.mp4", index_file(folder / "a.mp4"), request);
  EXPECT_EQ(decoded.status, FileStatus::kNoAudio);
  EXPECT_TRUE(decoded.audio.empty());
  EXPECT_EQ(frame_number(rgb), 4);
}

}  // namespace
}  // namespace avbench::media
