#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "data/fixtures.h"
#include "data/index_cache.h"
#include "io/atomic_file.h"
#include "io/message.h"

namespace avbench::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::map<std::string, media::FileStatus> statuses(const Dataset& dataset) {
  std::map<std::string, media::FileStatus> result;
  for (const BadFile& file : dataset.excluded()) {
    EXPECT_FALSE(file.message.empty()) << file.id;
    result[file.id] = file.status;
  }
  return result;
}

void write_bad_files(const DataFolder& folder) {
  write_movie(folder / "train/bell/one_frame.mp4", {.frames = 1});
  write_movie(folder / "train/bell/short.mp4", {.frames = 10});  // a clip spans 11
  write_movie(folder / "train/bell/silent.mp4", {.audio = false});
  write_text(folder / "train/bell/text.mp4", "not a movie, whatever its name says\n");
  write_text(folder / "train/bell/empty.mp4", "");
  write_movie(folder / "train/bell/whole.mp4");
  const std::string bytes = io::read_file(folder / "train/bell/whole.mp4");
  write_text(folder / "train/bell/truncated.mp4", bytes.substr(0, bytes.size() / 2));
}

TEST(Dataset, NumbersUsableFilesWithoutGapsAndListsTheOthers) {
  const DataFolder folder;
  folder.write_good_files();
  write_bad_files(folder);
  const auto dataset = folder.open(64);
  EXPECT_THAT(dataset->classes(), ElementsAre("bell", "drum"));
  std::vector<std::string> ids;
  for (int64_t i = 0; i < dataset->size(Split::kTrain); ++i) {
    ids.push_back(dataset->sample(Split::kTrain, i).id);
  }
  EXPECT_THAT(ids, ElementsAre("train/bell/f0.mp4", "train/bell/f1.mp4", "train/bell/f2.mp4",
                               "train/bell/whole.mp4", "train/drum/f0.mp4", "train/drum/f1.mp4",
                               "train/drum/f2.mp4"));
  EXPECT_THAT(dataset->labels(Split::kTrain), ElementsAre(0, 0, 0, 0, 1, 1, 1));
  EXPECT_EQ(dataset->size(Split::kVal), 1);
  EXPECT_EQ(dataset->size(Split::kTest), 0);
  EXPECT_EQ(statuses(*dataset), (std::map<std::string, media::FileStatus>{
                                    {"train/bell/one_frame.mp4", media::FileStatus::kTooShort},
                                    {"train/bell/short.mp4", media::FileStatus::kTooShort},
                                    {"train/bell/silent.mp4", media::FileStatus::kNoAudio},
                                    {"train/bell/text.mp4", media::FileStatus::kCorrupt},
                                    {"train/bell/empty.mp4", media::FileStatus::kCorrupt},
                                    {"train/bell/truncated.mp4", media::FileStatus::kCorrupt}}));
}

TEST(Dataset, LeavesOutWhatIsTooShortForAnothersClips) {
  const DataFolder folder;
  folder.write_good_files(1);
  write_movie(folder / "train/bell/short.mp4", {.frames = 13});  // a clip spans 11
  const auto size = [&](int64_t min_frames) {
    return Dataset::open({.source = folder.source().string()}, small_clip(), small_spectrogram(),
                         {.cache_mib = 0}, {}, min_frames)
        ->size(Split::kTrain);
  };
  EXPECT_EQ(size(0), 3);
  EXPECT_EQ(size(13), 3);
  EXPECT_EQ(size(14), 2);
}

TEST(Dataset, FindsTheSameWithoutCache) {
  const DataFolder folder;
  folder.write_good_files(1);
  write_bad_files(folder);
  const auto uncached = folder.open(0);
  EXPECT_EQ(uncached->cache(), nullptr);
  const DataFolder other_index;  // so that nothing is remembered
  const auto cached = DataFolder::open_source(folder.source(), 64);
  EXPECT_NE(cached->cache(), nullptr);
  EXPECT_EQ(statuses(*uncached), statuses(*cached));
  EXPECT_EQ(uncached->hash(Split::kTrain), cached->hash(Split::kTrain));
}

TEST(Dataset, StopsAtBadFilesIfToldSo) {
  const DataFolder folder;
  folder.write_good_files(1);
  EXPECT_NO_THROW(folder.open(64, config::DataConfig::OnBad::kFail));
  write_text(folder / "train/bell/text.mp4", "text");
  EXPECT_THAT(io::user_error([&] { folder.open(64, config::DataConfig::OnBad::kFail); }),
              AllOf(HasSubstr("1 of 4 files"), HasSubstr("text.mp4"), HasSubstr("corrupt"),
                    HasSubstr("on_bad")));
}

TEST(Dataset, NamesAllBadFilesWhenTheyStopIt) {
  const DataFolder folder;
  folder.write_good_files(1);
  for (int i = 10; i < 24; ++i) {
    write_text(folder / ("train/bell/bad" + std::to_string(i) + ".mp4"), "text");
  }
  const std::string text =
      io::user_error([&] { folder.open(64, config::DataConfig::OnBad::kFail); });
  for (int i = 10; i < 24; ++i) {
    EXPECT_THAT(text, HasSubstr("train/bell/bad" + std::to_string(i) + ".mp4: corrupt"));
  }
}

TEST(Dataset, RefusesASourceWithoutUsableFiles) {
  const DataFolder folder;
  write_text(folder / "train/bell/text.mp4", "text");
  EXPECT_THAT(io::user_error([&] { folder.open(64); }),
              AllOf(HasSubstr("none of the 1 files"), HasSubstr("text.mp4")));
  EXPECT_THAT(io::user_error([] { Dataset::open({}, {}, {}, {}); }),
              HasSubstr("protocol.data.source"));
  EXPECT_THAT(io::user_error([&] {
                Dataset::open({.source = folder.source().string()},
                              {.resize = {64, 80}, .crop = 65}, {}, {});
              }),
              AllOf(HasSubstr("clip.crop"), HasSubstr("65"), HasSubstr("64")));
}

TEST(Dataset, RemembersWhatItFoundUntilTheFileChanges) {
  const DataFolder folder;
  folder.write_good_files(1);
  folder.open(64);
  // What is remembered is replaced by something that decoding would not find.
  const auto file = index_cache_file(folder.source());
  IndexEntries entries = load_index_cache(file);
  ASSERT_EQ(entries.size(), 3u);
  IndexEntry& entry = entries.at("train/bell/f0.mp4");
  media::VideoIndex index = *entry.index;
  index.status = media::FileStatus::kCorrupt;
  index.message = "remembered";
  entry.index = std::make_shared<const media::VideoIndex>(index);
  save_index_cache(file, entries);
  const auto remembered = folder.open(64);
  ASSERT_EQ(remembered->excluded().size(), 1u);
  EXPECT_EQ(remembered->excluded()[0].message, "remembered");

  const auto path = folder / "train/bell/f0.mp4";
  std::filesystem::last_write_time(
      path, std::filesystem::last_write_time(path) + std::chrono::seconds(5));
  EXPECT_TRUE(folder.open(64)->excluded().empty());
}

TEST(Dataset, DecodesPartsOfFilesThatAManifestNames) {
  const DataFolder folder;
  write_movie(folder / "a.mp4", {.frames = 48});  // 4 seconds
  write_text(folder / "m.csv",
             "path,label,split,start,end\na.mp4,x,train,,\na.mp4,x,train,1,2.5\na.mp4,y,train,3,\n"
             "a.mp4,y,train,1,1.2\na.mp4,y,train,9,\n");
  const auto dataset = DataFolder::open_source(folder / "m.csv", 64);
  ASSERT_EQ(dataset->size(Split::kTrain), 3);
  const Sample& middle = dataset->sample(Split::kTrain, 1);
  EXPECT_EQ(middle.id, "a.mp4#1-2.5");
  EXPECT_EQ(middle.first_frame, 12);
  EXPECT_EQ(middle.frames, 18);
  EXPECT_EQ(dataset->sample(Split::kTrain, 2).first_frame, 36);
  EXPECT_EQ(dataset->sample(Split::kTrain, 2).frames, 12);
  EXPECT_EQ(statuses(*dataset),
            (std::map<std::string, media::FileStatus>{{"a.mp4#1-1.2", media::FileStatus::kTooShort},
                                                      {"a.mp4#9-", media::FileStatus::kTooShort}}));

  SampleReader reader(dataset->clip(), dataset->spectrogram());
  const FileContent whole = reader.read_all(dataset->sample(Split::kTrain, 0));
  const FileContent part = reader.read_all(middle);
  const size_t frame = 24 * 32 * 3;
  ASSERT_EQ(part.frames.size(), 18 * frame);
  EXPECT_TRUE(
      std::equal(part.frames.begin(), part.frames.end(), whole.frames.begin() + 12 * frame));
}

TEST(Dataset, HashOfASplitFollowsItsIdsAndLabels) {
  const DataFolder folder;
  write_movie(folder / "a.mp4");
  const auto hash = [&](const std::string& row) {
    write_text(folder / "m.csv", "path,label,split\n" + row);
    return DataFolder::open_source(folder / "m.csv", 64)->hash(Split::kTrain);
  };
  const std::string base = hash("a.mp4,x,train\n");
  EXPECT_EQ(hash("a.mp4,x,train\n"), base);
  EXPECT_NE(hash("a.mp4,y,train\n"), base);
  EXPECT_NE(hash("a.mp4,x,val\n"), base);
  write_movie(folder / "b.mp4");
  EXPECT_NE(hash("b.mp4,x,train\n"), base);
}

// Another file of the same size under an old name is other data.
TEST(Dataset, HashOfASplitFollowsTheFilesBytes) {
  const DataFolder folder;
  write_movie(folder / "a.mp4");
  write_text(folder / "m.csv", "path,label,split\na.mp4,x,train\n");
  const std::string before = DataFolder::open_source(folder / "m.csv", 0)->hash(Split::kTrain);
  std::string bytes = io::read_file(folder / "a.mp4");
  const size_t brand = bytes.find("isom");
  ASSERT_NE(brand, std::string::npos);
  bytes[brand + 7] ^= 1;  // the version of the brand: nothing that decoding looks at
  write_text(folder / "a.mp4", bytes);
  std::filesystem::last_write_time(
      folder / "a.mp4", std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_NE(DataFolder::open_source(folder / "m.csv", 0)->hash(Split::kTrain), before);
}

TEST(Dataset, ReportsProgressAndStopsWhenThatThrows) {
  const DataFolder folder;
  folder.write_good_files(2);
  std::vector<int64_t> done;
  folder.open(64, config::DataConfig::OnBad::kExclude, [&](int64_t files, int64_t total) {
    EXPECT_EQ(total, 5);
    done.push_back(files);
  });
  EXPECT_THAT(done, ElementsAre(0, 1, 1, 2, 2, 3, 3, 4, 4, 5));  // indexed, then decoded
  EXPECT_THROW(folder.open(64, config::DataConfig::OnBad::kExclude,
                           [](int64_t, int64_t) { throw std::runtime_error("stop"); }),
               std::runtime_error);
}

TEST(Dataset, ForgetsNothingWhenItIsStopped) {
  const DataFolder folder;
  folder.write_good_files(2);
  folder.open(64);
  const auto file = index_cache_file(folder.source());
  ASSERT_EQ(load_index_cache(file).size(), 5u);
  // A new file is the first of all, and the reading stops right behind it.
  write_movie(folder / "train/bell/a_new_one.mp4", {.pattern = 3});
  EXPECT_THROW(Dataset::open({.source = folder.source().string()}, small_clip(),
                             small_spectrogram(), {.workers = 1, .cache_mib = 0},
                             [](int64_t, int64_t) { throw std::runtime_error("stop"); }),
               std::runtime_error);
  const IndexEntries kept = load_index_cache(file);
  EXPECT_EQ(kept.size(), 6u);
  EXPECT_TRUE(kept.contains("train/bell/a_new_one.mp4"));
  EXPECT_TRUE(kept.at("train/drum/f1.mp4").index->examined);
}

}  // namespace
}  // namespace avbench::data
