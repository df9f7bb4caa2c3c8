// From files on the disk to samples: what one file does must not end the command, and the work
// belongs to the file. The files are ffmpeg's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "data/dataset.h"
#include "data/fixtures.h"
#include "data/index_cache.h"
#include "io/message.h"
#include "media/ffmpeg_program.h"

namespace avbench::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const test::NumberedSource& source() {
  static const io::TempFolder folder;
  static const test::NumberedSource made(folder.path(), 100);
  return made;
}

void make(const std::filesystem::path& path, const std::string& arguments) {
  std::filesystem::create_directories(path.parent_path());
  test::ffmpeg(source().input() + arguments + " '" + path.string() + "'");
}

constexpr const char* kPlain = "-c:v libx264 -g 12 -pix_fmt yuv420p -c:a aac";

std::map<std::string, media::FileStatus> statuses(const std::vector<BadFile>& files) {
  std::map<std::string, media::FileStatus> result;
  for (const BadFile& file : files) result[file.id] = file.status;
  return result;
}

TEST(FileCheck, WhatOneFileDoesIsAStatusOfThatFile) {
  const DataFolder folder;
  make(folder / "good.mp4", kPlain);
  write_text(folder / "text.mp4", "not a movie\n");
  std::filesystem::create_symlink("nowhere", folder / "dangling.mp4");
  std::filesystem::create_symlink("loop.mp4", folder / "loop.mp4");
  ASSERT_EQ(mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  make(folder / "silent.mp4", std::string(kPlain) + " -af volume=0");
  make(folder / "wave.wav", "-map 1:a");
  make(folder / "cinepak.avi", "-c:v cinepak -c:a mp3");
  make(folder / "nut.nut", kPlain);
  std::string manifest = "path,label,split\n";
  for (const char* name : {"good.mp4", "text.mp4", "dangling.mp4", "loop.mp4", "pipe.mp4",
                           "silent.mp4", "wave.wav", "cinepak.avi", "nut.nut", "missing.mp4"}) {
    manifest += std::string(name) + ",x,train\n";
  }
  write_text(folder / "m.csv", manifest);
  for (const int64_t cache_mib : {0, 64}) {
    const auto dataset = DataFolder::open_source(folder / "m.csv", cache_mib);
    EXPECT_EQ(dataset->size(Split::kTrain), 1);
    EXPECT_EQ(statuses(dataset->excluded()), (std::map<std::string, media::FileStatus>{
                                                 {"text.mp4", media::FileStatus::kCorrupt},
                                                 {"dangling.mp4", media::FileStatus::kUnreadable},
                                                 {"loop.mp4", media::FileStatus::kUnreadable},
                                                 {"pipe.mp4", media::FileStatus::kUnreadable},
                                                 {"missing.mp4", media::FileStatus::kUnreadable},
                                                 {"silent.mp4", media::FileStatus::kSilent},
                                                 {"wave.wav", media::FileStatus::kUnsupported},
                                                 {"cinepak.avi", media::FileStatus::kUnsupported},
                                                 {"nut.nut", media::FileStatus::kUnsupported}}));
    for (const BadFile& file : dataset->excluded()) {
      if (file.status == media::FileStatus::kUnsupported) {
        EXPECT_THAT(file.message, HasSubstr("is not supported: allowed are")) << file.id;
      }
    }
  }
  const std::string failure = io::user_error(
      [&] { DataFolder::open_source(folder / "m.csv", 0, config::DataConfig::OnBad::kFail); });
  for (const char* name : {"text.mp4", "dangling.mp4", "loop.mp4", "pipe.mp4", "silent.mp4",
                           "wave.wav", "cinepak.avi", "nut.nut", "missing.mp4"}) {
    EXPECT_THAT(failure, HasSubstr(name));
  }
}

TEST(FileCheck, TrustedFormatsAreReadWhereTheRunSaysSo) {
  const DataFolder folder;
  make(folder / "train/x/a.nut", "-c:v cinepak -c:a mp3");
  make(folder / "train/x/b.mp4", kPlain);
  const auto size = [&](const std::vector<std::string>& formats) {
    const auto dataset =
        Dataset::open({.source = folder.source().string()}, small_clip(), small_spectrogram(),
                      {.workers = 1, .cache_mib = 0, .formats = formats});
    SampleReader reader(dataset->clip(), dataset->spectrogram());
    for (const Sample& sample : dataset->samples(Split::kTrain)) {
      const std::vector<int64_t> starts{3};
      EXPECT_EQ(reader.read_clips(sample, starts, true).frames.size(), 6u * 24 * 32 * 3);
    }
    return dataset->size(Split::kTrain);
  };
  EXPECT_EQ(size({}), 1);
  EXPECT_EQ(size({"nut"}), 1);
  EXPECT_EQ(size({"nut", "cinepak"}), 2);
  EXPECT_EQ(size({}), 1);  // although the index remembers the file
  EXPECT_THAT(io::user_error([&] { size({"nutt"}); }),
              AllOf(HasSubstr("'nutt'"), HasSubstr("'nut'")));
}

TEST(FileCheck, ManyPartsOfAFileAreIndexedAndDecodedOnce) {
  const DataFolder folder;
  make(folder / "long.mp4", kPlain);
  std::string manifest = "path,label,split,start,end\n";
  for (int i = 0; i < 30; ++i) {
    manifest +=
        "long.mp4,x,train," + std::to_string(i * 0.1) + "," + std::to_string(i * 0.1 + 1) + "\n";
  }
  write_text(folder / "m.csv", manifest);
  std::vector<int64_t> totals;
  const auto dataset =
      DataFolder::open_source(folder / "m.csv", 0, config::DataConfig::OnBad::kExclude,
                              [&](int64_t, int64_t total) { totals.push_back(total); });
  EXPECT_EQ(dataset->size(Split::kTrain), 30);
  EXPECT_EQ(totals, (std::vector<int64_t>{1, 1}));  // one file, demuxed and decoded
  EXPECT_EQ(load_index_cache(index_cache_file(folder / "m.csv")).size(), 1u);
  const auto& samples = dataset->samples(Split::kTrain);
  EXPECT_EQ(samples.front().index, samples.back().index);  // one index for all
}

// Transport streams begin at 1.4 seconds of their clock, Matroska's audio need not begin with its
// frames, MP4's may have an edit list.
TEST(FileCheck, ARememberedFileReadsAsAFreshOneBitForBit) {
  const DataFolder folder;
  make(folder / "a.ts", kPlain);
  make(folder / "b.mkv", std::string("-c:v mpeg4 -bf 2 -q:v 3 -c:a libopus"));
  make(folder / "c.mpg", std::string("-c:v mpeg2video -bf 2 -q:v 3 -c:a mp2"));
  make(folder / "d.avi", std::string("-c:v libxvid -bf 2 -q:v 3 -c:a mp3"));
  make(folder / "e.mp4", std::string(kPlain) + " -ss 0.5");
  std::string manifest = "path,label,split,start,end\n";
  for (const char* name : {"a.ts", "b.mkv", "c.mpg", "d.avi", "e.mp4"}) {
    manifest += std::string(name) + ",x,train,1,3\n" + name + ",x,train,,\n";
  }
  write_text(folder / "m.csv", manifest);
  const auto contents = [&] {
    const auto dataset = DataFolder::open_source(folder / "m.csv", 0);
    SampleReader reader(dataset->clip(), dataset->spectrogram());
    std::map<std::string, std::pair<std::vector<uint8_t>, std::vector<float>>> result;
    for (const Sample& sample : dataset->samples(Split::kTrain)) {
      FileContent content = reader.read_all(sample);
      result[sample.id] = {std::move(content.frames), std::move(content.spectrogram)};
    }
    return result;
  };
  const auto fresh = contents();
  EXPECT_EQ(fresh.size(), 10u);
  EXPECT_TRUE(fresh == contents());
}

// The content that is gathered while a file is examined is what reading it gives.
TEST(FileCheck, ContentOfTheFirstPassIsThatOfLaterReading) {
  const DataFolder folder;
  make(folder / "train/x/a.ts", kPlain);
  make(folder / "train/x/b.mkv",
       "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -cpu-used 8 -b:v "
       "200k -c:a libvorbis");
  make(folder / "train/x/c.mp4", kPlain);
  make(folder / "train/x/d.vob", "-f vob -c:v mpeg2video -bf 2 -q:v 3 -c:a ac3");
  const auto dataset = folder.open(64);
  ASSERT_EQ(dataset->size(Split::kTrain), 4);
  SampleReader reader(dataset->clip(), dataset->spectrogram());
  for (const Sample& sample : dataset->samples(Split::kTrain)) {
    const auto cached = dataset->cache()->get(sample, reader);
    const FileContent read = reader.read_all(sample);
    EXPECT_TRUE(cached->frames == read.frames) << sample.id;
    EXPECT_TRUE(cached->spectrogram == read.spectrogram) << sample.id;
  }
}

TEST(FileCheck, DamageIsToleratedCountedAndListedOrNot) {
  const DataFolder folder;
  make(folder / "train/x/a.mp4", kPlain);
  const auto broken = folder / "train/x/b.ts";
  make(broken, kPlain);
  // Without its last transport packets the last packet of the audio is incomplete.
  const auto opened = [&](config::DataConfig::OnDamage on_damage) {
    return Dataset::open({.source = folder.source().string(), .on_damage = on_damage}, small_clip(),
                         small_spectrogram(), {.workers = 1, .cache_mib = 0});
  };
  for (int i = 0; i < 12 && opened(config::DataConfig::OnDamage::kTolerate)->damaged().empty();
       ++i) {
    std::filesystem::resize_file(broken, std::filesystem::file_size(broken) - 188);
  }
  const auto tolerant = opened(config::DataConfig::OnDamage::kTolerate);
  EXPECT_EQ(tolerant->size(Split::kTrain), 2);
  ASSERT_EQ(tolerant->damaged().size(), 1u);
  EXPECT_EQ(tolerant->damaged()[0].id, "train/x/b.ts");
  EXPECT_THAT(tolerant->damaged()[0].message, HasSubstr("1 of"));
  const auto strict = opened(config::DataConfig::OnDamage::kExclude);
  EXPECT_EQ(strict->size(Split::kTrain), 1);
  EXPECT_EQ(
      statuses(strict->excluded()),
      (std::map<std::string, media::FileStatus>{{"train/x/b.ts", media::FileStatus::kCorrupt}}));
}

}  // namespace
}  // namespace avbench::data
