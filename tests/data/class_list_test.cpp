#include "data/class_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/fixtures.h"
#include "data/index_cache.h"
#include "io/atomic_file.h"
#include "io/message.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ClassList, HasALineForEachClassAndLeavesOutComments) {
  const io::TempFolder folder;
  write_text(folder / "list.txt", "# head\n\n tap dancing \r\nsinging # aloud\n\t\n");
  EXPECT_THAT(read_class_list(folder / "list.txt"), ElementsAre("tap dancing", "singing"));
}

TEST(ClassList, FindsItsFirstNameBehindAByteOrderMark) {
  const io::TempFolder folder;
  write_text(folder / "list.txt", "\xEF\xBB\xBFsinging\ntap dancing\n");
  EXPECT_THAT(read_class_list(folder / "list.txt"), ElementsAre("singing", "tap dancing"));
}

TEST(ClassList, RefusesAnotherEncodingThanUtf8) {
  const io::TempFolder folder;
  write_text(folder / "list.txt", {"\xFF\xFEo\0n\0e\0", 8});
  EXPECT_THAT(io::user_error([&] { read_class_list(folder / "list.txt"); }),
              HasSubstr("list.txt: got text in UTF-16"));
  write_text(folder / "list.txt", "one\nna\xefve\n");  // Latin-1
  EXPECT_THAT(io::user_error([&] { read_class_list(folder / "list.txt"); }),
              AllOf(HasSubstr("list.txt:2:"), HasSubstr("not UTF-8")));
}

TEST(ClassList, RefusesARepeatedNameAndAnEmptyList) {
  const io::TempFolder folder;
  write_text(folder / "list.txt", "tap dancing\n\ntap_dancing\n");
  EXPECT_THAT(io::user_error([&] { read_class_list(folder / "list.txt"); }),
              EndsWith("list.txt:3: 'tap_dancing' is already on line 1"));
  write_text(folder / "list.txt", "# nothing\n");
  EXPECT_THAT(io::user_error([&] { read_class_list(folder / "list.txt"); }),
              HasSubstr("no class in it"));
}

TEST(ClassList, KeepsTheItemsOfItsClassesUnderTheirOwnNames) {
  std::vector<ManifestEntry> items = {{.id = "a", .label = "tap_dancing"},
                                      {.id = "b", .label = "singing"},
                                      {.id = "c", .label = "Singing"},
                                      {.id = "d", .label = "tap_dancing"}};
  keep_classes(items, {"tap dancing", "singing"}, "l");
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].label, "tap_dancing");
  EXPECT_EQ(items[1].id, "b");
  EXPECT_EQ(items[2].id, "d");
}

TEST(ClassList, NamesTheClassesThatHaveNoFile) {
  std::vector<ManifestEntry> items = {{.label = "singing"}, {.label = "bowling"}};
  EXPECT_THAT(
      io::user_error([&] {
        keep_classes(items, {"singin", "bowling", "tickling"}, "l.txt");
      }),
      AllOf(StartsWith("l.txt: 2 of the 3 classes have no file in the source: 'singin' (did "
                       "you mean 'singing'?), 'tickling'."),
            Not(HasSubstr("'bowling'"))));
}

TEST(ClassList, NamesTheFirstTenOfMany) {
  std::vector<std::string> classes;
  for (char c = 'a'; c <= 'n'; ++c) classes.push_back(std::string(3, c));
  std::vector<ManifestEntry> items;
  EXPECT_THAT(
      io::user_error([&] { keep_classes(items, classes, "l"); }),
      AllOf(HasSubstr("14 of the 14"), HasSubstr("'jjj', and 4 more."), Not(HasSubstr("'kkk'"))));
}

TEST(ClassList, RestrictsADataSetAndForgetsNothingOfTheOtherFiles) {
  const DataFolder folder;
  folder.write_good_files(2);
  write_text(folder.source().parent_path() / "list.txt", "drum\n");
  const auto open = [&](const std::string& classes) {
    return Dataset::open({.source = folder.source().string(), .classes = classes}, small_clip(),
                         small_spectrogram(), {.cache_mib = 0});
  };
  const auto all = open("");
  const fs::path index = index_cache_file(folder.source());
  EXPECT_EQ(load_index_cache(index).size(), 5u);
  const std::string list = (folder.source().parent_path() / "list.txt").string();
  const auto drums = open(list);
  EXPECT_THAT(drums->classes(), ElementsAre("drum"));
  EXPECT_EQ(drums->size(Split::kTrain), 2);
  EXPECT_EQ(drums->size(Split::kVal), 1);
  EXPECT_NE(drums->hash(Split::kTrain), all->hash(Split::kTrain));
  write_movie(folder / "train/drum/f2.mp4");
  EXPECT_EQ(open(list)->size(Split::kTrain), 3);
  EXPECT_EQ(load_index_cache(index).size(), 6u);
}

// ---- the lists of datasets/ ---------------------------------------------------------------------

std::vector<std::string> shipped(const char* name) {
  return read_class_list(fs::path(AVBENCH_SOURCE_DIR) / "datasets" / name);
}

TEST(ClassLists, OfKineticsAudiosHave32And100ClassesTheFirstWithinTheSecond) {
  const std::vector<std::string> k32 = shipped("k32.txt"), k100 = shipped("k100.txt");
  const std::set<std::string> small(k32.begin(), k32.end()), large(k100.begin(), k100.end());
  EXPECT_EQ(k32.size(), 32u);
  EXPECT_EQ(small.size(), 32u);
  EXPECT_EQ(k100.size(), 100u);
  EXPECT_EQ(large.size(), 100u);
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
  // What the paper names of K100, beside K32.
  for (const char* name : {"dancing charleston", "belly dancing", "playing volleyball",
                           "playing cricket", "applauding", "celebrating"}) {
    EXPECT_TRUE(large.contains(name)) << name;
    EXPECT_FALSE(small.contains(name)) << name;
  }
}

TEST(ClassLists, SayWhereTheyComeFrom) {
  const fs::path folder = fs::path(AVBENCH_SOURCE_DIR) / "datasets";
  EXPECT_THAT(io::read_file(folder / "k100.txt"), HasSubstr("PROPOSAL"));
  for (const char* name : {"k32.txt", "k100.txt"}) {
    EXPECT_THAT(io::read_file(folder / name), StartsWith("# Kinetics-Sounds")) << name;
  }
}

}  // namespace
}  // namespace avbench::data
