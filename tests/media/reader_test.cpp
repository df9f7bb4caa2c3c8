#include "media/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "media/fixtures.h"

namespace avbench::media {
namespace {

using namespace test;

// Grey frames in which every pixel moves, so that a wrong reference frame shows.
void write_restless(const std::filesystem::path& path, const Mp4Options& options, int frames) {
  Mp4Writer writer(path, options);
  std::mt19937 random(3);
  std::vector<uint8_t> texture(200 * 200);
  for (uint8_t& value : texture) value = static_cast<uint8_t>(30 + random() % 180);
  std::vector<uint8_t> rgb(size_t(3) * kWidth * kHeight);
  for (int i = 0; i < frames; ++i) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const uint8_t value = texture[(y / 2 + i) % 200 * 200 + (x / 2 + 2 * i) % 200];
        std::fill_n(&rgb[3 * (y * kWidth + x)], 3, value);
      }
    }
    writer.add_frame(rgb);
  }
  writer.finish();
}

std::vector<int64_t> indices_of(int64_t first, int64_t count, int64_t stride = 1) {
  std::vector<int64_t> frame_indices(count);
  for (int64_t i = 0; i < count; ++i) frame_indices[i] = first + i * stride;
  return frame_indices;
}

Frames read_all(MediaReader& reader, const std::filesystem::path& path, const VideoIndex& index) {
  return read_clip(reader, path, index, indices_of(0, index.frames()));
}

TEST(MediaReader, GivesTheFramesAskedFor) {
  const io::TempFolder folder;
  for (const int gop : {1, 12, 250}) {
    Mp4Options options = plain_options();
    options.gop = gop;
    write_numbered(folder / "a.mp4", options, 90);
    const VideoIndex index = index_file(folder / "a.mp4");
    MediaReader reader;
    for (const auto& frame_indices : {indices_of(0, 90), indices_of(70, 16), indices_of(3, 8, 11),
                                      std::vector<int64_t>{5, 5, 5, 89, 89}}) {
      const Frames clip = read_clip(reader, folder / "a.mp4", index, frame_indices);
      ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << clip.decoded.message;
      for (size_t i = 0; i < frame_indices.size(); ++i) {
        EXPECT_EQ(frame_number(clip.at(i)), frame_indices[i]) << "gop " << gop;
      }
    }
  }
}

TEST(MediaReader, AgreesWithPlainSequentialDecoding) {
  const io::TempFolder folder;
  write_restless(folder / "a.mp4", plain_options(), 60);
  const auto luma = decode_luma(folder / "a.mp4");
  ASSERT_EQ(luma.size(), 60u);
  const VideoIndex index = index_file(folder / "a.mp4");
  MediaReader reader;
  const Frames all = read_all(reader, folder / "a.mp4", index);
  ASSERT_EQ(all.decoded.status, FileStatus::kOk) << all.decoded.message;
  for (size_t i = 0; i < luma.size(); ++i) {
    for (size_t p = 0; p < luma[i].size(); ++p) {
      const double expected = std::clamp((luma[i][p] - 16) * 255.0 / 219, 0.0, 255.0);
      ASSERT_NEAR(all.at(i)[3 * p + 1], expected, 6) << "frame " << i << " pixel " << p;
    }
  }
}

TEST(MediaReader, SkippingAndSeekingChangeNoByte) {
  const io::TempFolder folder;
  MediaReader reader;
  std::mt19937 random(1);
  int kind = 0;
  for (const int gop : {7, 40, 250}) {
    for (const int b_frames : {0, 1, 3}) {
      Mp4Options options = plain_options();
      options.gop = gop;
      options.b_frames = b_frames;
      const auto path = folder / ("v" + std::to_string(kind++) + ".mp4");
      write_restless(path, options, 120);
      const VideoIndex index = index_file(path);
      const Frames all = read_all(reader, path, index);
      ASSERT_EQ(all.decoded.status, FileStatus::kOk) << all.decoded.message;
      for (int trial = 0; trial < 25; ++trial) {
        const int64_t stride = 1 + static_cast<int64_t>(random() % 3);
        const auto frame_indices =
            indices_of(static_cast<int64_t>(random() % (120 - 8 * stride)), 8, stride);
        const Frames clip = read_clip(reader, path, index, frame_indices);
        ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << clip.decoded.message;
        for (size_t i = 0; i < frame_indices.size(); ++i) {
          ASSERT_TRUE(std::ranges::equal(clip.at(i), all.at(frame_indices[i])))
              << "gop " << gop << " b " << b_frames << " frame " << frame_indices[i];
        }
      }
    }
  }
}

TEST(MediaReader, SeveralClipsOfOnePassEqualSinglePasses) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.gop = 20;
  options.sample_rate = 16000;
  write_numbered(folder / "a.mp4", options, 100);
  const VideoIndex index = index_file(folder / "a.mp4");
  MediaReader reader;
  const std::vector<std::vector<int64_t>> clips{indices_of(60, 16), indices_of(0, 16),
                                                indices_of(66, 16), indices_of(84, 16)};
  const size_t bytes = size_t(16) * 3 * kWidth * kHeight;
  std::vector<uint8_t> out(clips.size() * bytes);
  DecodeRequest request;
  request.width = kWidth;
  request.height = kHeight;
  for (size_t i = 0; i < clips.size(); ++i) {
    request.clips.push_back({clips[i], out.data() + i * bytes});
  }
  for (const int rate : {0, 16000}) {
    std::fill(out.begin(), out.end(), 0);
    request.sample_rate = rate;
    ASSERT_EQ(reader.read(folder / "a.mp4", index, request).status, FileStatus::kOk);
    for (size_t i = 0; i < clips.size(); ++i) {
      const Frames single = read_clip(reader, folder / "a.mp4", index, clips[i]);
      EXPECT_TRUE(std::equal(single.rgb.begin(), single.rgb.end(), out.begin() + i * bytes)) << i;
    }
  }
}

TEST(MediaReader, FindsFramesOfOtherContainersAndClocks) {
  const io::TempFolder folder;
  Mp4Options options = plain_options();
  options.gop = 12;
  write_numbered(folder / "a.mp4", options, 60);
  MediaReader reader;
  for (const char* format : {"mp4", "matroska", "mpegts"}) {
    remux(folder / "a.mp4", folder / "late", format, 10);
    const VideoIndex index = index_file(folder / "late");
    ASSERT_EQ(index.frames(), 60) << format;
    const auto frame_indices = indices_of(31, 16);
    const Frames clip = read_clip(reader, folder / "late", index, frame_indices);
    ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << format << ": " << clip.decoded.message;
    for (size_t i = 0; i < frame_indices.size(); ++i)
      EXPECT_EQ(frame_number(clip.at(i)), frame_indices[i]);
  }
}

TEST(MediaReader, CountsFramesWhereTimeStampsAreMissing) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", plain_options(), 60);
  remux(folder / "a.mp4", folder / "a.avi", "avi", 0);  // AVI stores none, and has B-frames here
  const VideoIndex index = index_file(folder / "a.avi");
  EXPECT_TRUE(index.by_decoding);
  ASSERT_EQ(index.frames(), 60);
  EXPECT_NEAR(index.fps, 30, 0.1);
  MediaReader reader;
  const auto frame_indices = indices_of(40, 16);
  const Frames clip = read_clip(reader, folder / "a.avi", index, frame_indices);
  ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << clip.decoded.message;
  for (size_t i = 0; i < frame_indices.size(); ++i)
    EXPECT_EQ(frame_number(clip.at(i)), frame_indices[i]);
}

TEST(MediaReader, HiddenFramesOfAnEditListAreDecodedButNotCounted) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", plain_options(), 60);
  remux(folder / "a.mp4", folder / "cut.mp4", "mp4", -0.5);
  const VideoIndex index = index_file(folder / "cut.mp4");
  MediaReader reader;
  const Frames clip = read_clip(reader, folder / "cut.mp4", index, {0, 10, 44});
  ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << clip.decoded.message;
  EXPECT_EQ(frame_number(clip.at(0)), 15);
  EXPECT_EQ(frame_number(clip.at(1)), 25);
  EXPECT_EQ(frame_number(clip.at(2)), 59);
}

TEST(MediaReader, FramesOfUnevenLengthAreFoundByRank) {
  const io::TempFolder folder;
  Mp4Writer writer(folder / "a.mp4", plain_options());
  for (int i = 0; i < 40; ++i) writer.add_frame(numbered_frame(i), 1 + i % 5);
  writer.finish();
  const VideoIndex index = index_file(folder / "a.mp4");
  MediaReader reader;
  const Frames clip = read_clip(reader, folder / "a.mp4", index, indices_of(17, 16));
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(frame_number(clip.at(i)), 17 + static_cast<int>(i));
}

TEST(MediaReader, ReadsOtherCodecs) {
  const io::TempFolder folder;
  write_mjpeg(folder / "a.mkv", 10);
  const VideoIndex index = index_file(folder / "a.mkv");
  ASSERT_EQ(index.frames(), 10);
  MediaReader reader;
  const Frames clip = read_clip(reader, folder / "a.mkv", index, {3, 9});
  ASSERT_EQ(clip.decoded.status, FileStatus::kOk) << clip.decoded.message;
  EXPECT_EQ(frame_number(clip.at(0)), 3);
  EXPECT_EQ(frame_number(clip.at(1)), 9);
  // Full range: 220 stays 220 (limited range would make it 238).
  EXPECT_NEAR(*std::max_element(clip.rgb.begin(), clip.rgb.end()), 220, 5);
}

TEST(MediaReader, TurnsFramesForDisplay) {
  const io::TempFolder folder;
  // Quarters: red, green / blue, white.
  const int colours[2][2][3] = {{{200, 20, 20}, {20, 200, 20}}, {{20, 20, 200}, {220, 220, 220}}};
  std::vector<uint8_t> rgb(size_t(3) * kWidth * kHeight);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      for (int c = 0; c < 3; ++c) {
        rgb[3 * (y * kWidth + x) + c] =
            static_cast<uint8_t>(colours[2 * y / kHeight][2 * x / kWidth][c]);
      }
    }
  }
  MediaReader reader;
  for (const int rotation : {0, 90, 180, 270}) {
    Mp4Options options = plain_options();
    options.rotation = rotation;
    options.crf = 10;
    Mp4Writer writer(folder / "a.mp4", options);
    writer.add_frame(rgb);
    writer.finish();
    const VideoIndex index = index_file(folder / "a.mp4");
    const Frames clip = read_clip(reader, folder / "a.mp4", index, {0}, index.width, index.height);
    for (int row = 0; row < 2; ++row) {
      for (int column = 0; column < 2; ++column) {
        // Where this quarter of the shown frame lies in the stored one.
        int y = row, x = column;
        for (int turn = 0; turn < rotation; turn += 90) {
          const int before = y;
          y = 1 - x;
          x = before;
        }
        const size_t pixel = static_cast<size_t>((2 * row + 1) * index.height / 4) * index.width +
                             (2 * column + 1) * index.width / 4;
        for (int c = 0; c < 3; ++c) {
          EXPECT_NEAR(clip.rgb[3 * pixel + c], colours[y][x][c], 12)
              << rotation << " " << row << column;
        }
      }
    }
  }
}

// Triangle filter whose support grows with the reduction, in double.
std::vector<double> resize_line(const std::vector<double>& in, int outs) {
  const double ratio = static_cast<double>(in.size()) / outs, support = std::max(1.0, ratio);
  std::vector<double> out(outs);
  for (int i = 0; i < outs; ++i) {
    const double centre = (i + 0.5) * ratio - 0.5;
    double sum = 0, weights = 0;
    for (int j = static_cast<int>(centre - support) - 1; j <= centre + support + 1; ++j) {
      const double weight = std::max(0.0, 1 - std::abs(j - centre) / support);
      sum += weight * in[std::clamp<int>(j, 0, static_cast<int>(in.size()) - 1)];
      weights += weight;
    }
    out[i] = sum / weights;
  }
  return out;
}

TEST(MediaReader, ScalesWithAnAntialiasedTriangle) {
  const io::TempFolder folder;
  write_restless(folder / "a.mp4", plain_options(), 3);
  const VideoIndex index = index_file(folder / "a.mp4");
  const auto luma = decode_luma(folder / "a.mp4");
  MediaReader reader;
  constexpr int kToWidth = 27, kToHeight = 21;  // odd, so that rows need padding
  const Frames clip = read_clip(reader, folder / "a.mp4", index, {2}, kToWidth, kToHeight);
  std::vector<std::vector<double>> columns(kToWidth, std::vector<double>(kHeight));
  for (int y = 0; y < kHeight; ++y) {
    std::vector<double> row(kWidth);
    for (int x = 0; x < kWidth; ++x) row[x] = (luma[2][y * kWidth + x] - 16) * 255.0 / 219;
    const std::vector<double> scaled = resize_line(row, kToWidth);
    for (int x = 0; x < kToWidth; ++x) columns[x][y] = scaled[x];
  }
  double total = 0;
  for (int x = 0; x < kToWidth; ++x) {
    const std::vector<double> scaled = resize_line(columns[x], kToHeight);
    for (int y = 0; y < kToHeight; ++y) {
      const double difference =
          clip.at(0, kToWidth, kToHeight)[3 * (y * kToWidth + x) + 1] - scaled[y];
      EXPECT_LT(std::abs(difference), 8) << x << " " << y;  // chroma of the codec, fixed point
      total += std::abs(difference);
    }
  }
  EXPECT_LT(total / (kToWidth * kToHeight), 2);
}

TEST(MediaReader, AFrameThatTheIndexLacksIsTheCallersMistake) {
  const io::TempFolder folder;
  write_numbered(folder / "a.mp4", plain_options(), 5);
  const VideoIndex index = index_file(folder / "a.mp4");
  MediaReader reader;
  EXPECT_THROW(read_clip(reader, folder / "a.mp4", index, {5}), std::out_of_range);
  EXPECT_THROW(read_clip(reader, folder / "a.mp4", index, {-1}), std::out_of_range);
}

}  // namespace
}  // namespace avbench::media
