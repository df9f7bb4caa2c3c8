#include "data/split_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "data/fixtures.h"
#include "io/message.h"
#include "io/sha256.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

using Ids = std::pair<std::string, std::string>;

std::vector<Ids> ids(const std::vector<SplitPair>& pairs) {
  std::vector<Ids> result;
  for (const auto& [a, b] : pairs) result.emplace_back(a.id, b.id);
  return result;
}

// ---- overlaps -----------------------------------------------------------------------------------

// A file that does not exist is a name like another.
SplitMember part(Split split, const std::string& id, double begin, double end,
                 const fs::path& path = "/nowhere/a.mp4") {
  return {split, id, path, {begin, end}, 1};
}

SplitMember whole(Split split, const std::string& id, const fs::path& path = "/nowhere/a.mp4") {
  return part(split, id, 0, -1, path);
}

std::vector<Ids> overlapping(const std::vector<SplitMember>& members) {
  const Overlaps overlaps = find_overlaps(members);
  EXPECT_EQ(overlaps.count, static_cast<int64_t>(overlaps.first.size()));
  return ids(overlaps.first);
}

TEST(SplitOverlap, IsFoundForWholeFilesAndParts) {
  using enum Split;
  EXPECT_THAT(overlapping({whole(kTrain, "a"), whole(kTest, "b")}), ElementsAre(Ids("a", "b")));
  EXPECT_THAT(overlapping({part(kTest, "a", 7, 8), whole(kTrain, "b")}),
              ElementsAre(Ids("b", "a")));
  EXPECT_THAT(overlapping({part(kTrain, "a", 2, 4), part(kTest, "b", 3.5, 9)}),
              ElementsAre(Ids("a", "b")));
  EXPECT_THAT(overlapping({part(kTrain, "a", 1, 9), part(kVal, "b", 3, 4)}),
              ElementsAre(Ids("a", "b")));
  EXPECT_THAT(overlapping({part(kVal, "a", 0, 3), part(kTest, "b", 2, -1)}),
              ElementsAre(Ids("a", "b")));
  EXPECT_THAT(overlapping({whole(kTrain, "a"), whole(kVal, "b"), whole(kTest, "c")}),
              UnorderedElementsAre(Ids("a", "b"), Ids("a", "c"), Ids("b", "c")));
}

TEST(SplitOverlap, IsNoneOfPartsThatTouchOrOfOneSplitOrOfTwoFiles) {
  using enum Split;
  EXPECT_THAT(overlapping({part(kTrain, "a", 2, 4), part(kTest, "b", 4, 6), part(kVal, "c", 0, 2),
                           part(kTest, "d", 6, -1)}),
              IsEmpty());
  EXPECT_THAT(overlapping({whole(kTest, "a"), part(kTest, "b", 1, 2), part(kTest, "c", 1, 3)}),
              IsEmpty());
  EXPECT_THAT(overlapping({whole(kTrain, "a"), whole(kTest, "b", "/nowhere/b.mp4")}), IsEmpty());
}

// Against comparing every member with every other.
TEST(SplitOverlap, IsWhatComparingAllPairsFinds) {
  std::mt19937 random(3);
  std::uniform_int_distribution<int> digit(0, 9), third(0, 2);
  for (int round = 0; round < 50; ++round) {
    std::vector<SplitMember> members;
    for (int i = 0; i < 60; ++i) {
      const int begin = digit(random), length = third(random);
      members.push_back(part(kSplits[third(random)], std::to_string(i), begin,
                             length == 0 ? -1 : begin + length,
                             "/nowhere/" + std::to_string(third(random))));
    }
    std::set<std::set<std::string>> expected, found;
    for (const SplitMember& a : members) {
      for (const SplitMember& b : members) {
        const auto end = [](const SplitMember& m) {
          return m.segment.second < 0 ? 1000 : m.segment.second;
        };
        if (a.path == b.path && a.split != b.split && a.segment.first < end(b) &&
            b.segment.first < end(a)) {
          expected.insert({a.id, b.id});
        }
      }
    }
    const Overlaps overlaps = find_overlaps(members, 10000);
    for (const auto& [a, b] : overlaps.first) found.insert({a.id, b.id});
    EXPECT_EQ(found, expected);
    EXPECT_EQ(overlaps.count, static_cast<int64_t>(expected.size()));
    EXPECT_EQ(find_overlaps(members, 4).count, overlaps.count);
    EXPECT_EQ(find_overlaps(members, 4).first.size(), 4u);
  }
}

// 2 x 100,000 samples of one file, of which each overlaps with each: a list of 10^10 pairs would
// not fit into the machine.
TEST(SplitOverlap, CountsManyPairsWithoutListingThem) {
  std::vector<SplitMember> members;
  for (int i = 0; i < 100000; ++i) {
    members.push_back(whole(Split::kTrain, std::to_string(i)));
    members.push_back(whole(Split::kVal, std::to_string(i)));
  }
  const Overlaps overlaps = find_overlaps(members);
  EXPECT_EQ(overlaps.count, 10'000'000'000);
  EXPECT_EQ(overlaps.first.size(), 20u);
}

TEST(SplitOverlap, SeesOneFileBehindLinksAndDetours) {
  const io::TempFolder folder;
  write_text(folder / "x/a.mp4", "x");
  fs::create_symlink("a.mp4", folder / "x/symbolic.mp4");
  fs::create_directory_symlink("x", folder / "y");
  fs::create_hard_link(folder / "x/a.mp4", folder / "x/hard.mp4");
  for (const char* other : {"x/symbolic.mp4", "y/a.mp4", "x/../y/./a.mp4", "x/hard.mp4"}) {
    EXPECT_THAT(overlapping({whole(Split::kTrain, "a", folder / "x/a.mp4"),
                             whole(Split::kTest, "b", folder / other)}),
                ElementsAre(Ids("a", "b")))
        << other;
  }
}

TEST(SplitOverlap, IsRefusedWithBothSamplesTheirSplitsAndSeconds) {
  using enum Split;
  EXPECT_NO_THROW(require_apart({whole(kTrain, "a")}, "s"));
  EXPECT_THAT(io::user_error([] {
                require_apart({whole(kTrain, "a.mp4"), part(kTest, "a.mp4#1.5-3", 1.5, 3),
                               part(kVal, "a.mp4#3-", 3, -1)},
                              "m.csv");
              }),
              AllOf(HasSubstr("m.csv: 2 pairs of samples in different splits share"),
                    HasSubstr("\n  train a.mp4 (whole) and test a.mp4#1.5-3 (1.5-3 s)\n"),
                    HasSubstr("\n  train a.mp4 (whole) and val a.mp4#3- (from 3 s)\n")));
}

TEST(SplitOverlap, NamesTwentyPairsAndCountsTheRest) {
  std::vector<SplitMember> members;
  for (int i = 0; i < 23; ++i) {
    const std::string name = "f" + std::to_string(10 + i);
    members.push_back(whole(Split::kTrain, name, "/nowhere/" + name));
    members.push_back(whole(Split::kVal, name, "/nowhere/" + name));
  }
  const std::string text = io::user_error([&] { require_apart(members, "s"); });
  EXPECT_THAT(text, AllOf(HasSubstr("23 pairs"), HasSubstr("train f29 (whole) and val f29"),
                          Not(HasSubstr("f30")), HasSubstr("... and 3 more")));
}

// ---- copies -------------------------------------------------------------------------------------

TEST(SplitCopies, AreFilesWithTheSameBytesInDifferentSplits) {
  const io::TempFolder folder;
  const auto file = [&](Split split, const std::string& name, const std::string& bytes) {
    write_text(folder / name, bytes);
    return SplitMember{split,
                       name,
                       folder / name,
                       {0, -1},
                       static_cast<int64_t>(bytes.size()),
                       io::sha256_hex(bytes)};
  };
  using enum Split;
  EXPECT_THAT(ids(find_copies({file(kVal, "c", "one"), file(kTest, "d", "two"),
                               file(kTrain, "a", "two"), file(kTrain, "b", "three"),
                               file(kTrain, "e", "two"), file(kVal, "g", "three!")})),
              UnorderedElementsAre(Ids("a", "d"), Ids("e", "d")));
}

// Contents are given, not files.
TEST(SplitCopies, ArePairedByFileWhateverPartsOfItThereAre) {
  const auto member = [](Split split, const char* path, double begin, const char* content) {
    return SplitMember{split, path + std::to_string(begin), path, {begin, begin + 1}, 7, content};
  };
  using enum Split;
  const auto copies = find_copies(
      {member(kTrain, "/nowhere/b", 0, "other"), member(kTrain, "/nowhere/c", 0, "same"),
       member(kTrain, "/nowhere/c", 1, "same"), member(kTest, "/nowhere/c", 2, "same"),
       member(kVal, "/nowhere/d", 0, "same"), member(kTest, "/nowhere/unknown", 0, ""),
       member(kVal, "/nowhere/unreadable", 0, "")});
  EXPECT_THAT(ids(copies), UnorderedElementsAre(Ids("/nowhere/c0.000000", "/nowhere/d0.000000"),
                                                Ids("/nowhere/d0.000000", "/nowhere/c2.000000")));
}

// A placeholder such as "this video is not available", ten thousand times.
TEST(SplitCopies, MakeNoMorePairsThanFilesAndNameEachFile) {
  std::vector<SplitMember> members;
  for (int i = 0; i < 10000; ++i) {
    const std::string name = std::to_string(i);
    members.push_back({kSplits[i % 3], name, "/nowhere/" + name, {0, -1}, 5, "same"});
  }
  const auto copies = find_copies(members);
  EXPECT_LE(copies.size(), members.size());
  std::set<std::string> named;
  for (const auto& [a, b] : copies) {
    EXPECT_NE(a.split, b.split);
    named.insert({a.id, b.id});
  }
  EXPECT_EQ(named.size(), members.size());
}

// ---- data sets ----------------------------------------------------------------------------------

TEST(DatasetSplits, WithAnOverlapAreRefused) {
  const DataFolder folder;
  write_movie(folder / "a.mp4", {.frames = 48});  // 4 seconds
  write_movie(folder / "b.mp4", {.pattern = 1});
  fs::create_symlink("b.mp4", folder / "link.mp4");
  const auto open = [&](const std::string& rows) {
    write_text(folder / "m.csv", "path,label,split,start,end\n" + rows);
    return DataFolder::open_source(folder / "m.csv", 64);
  };
  EXPECT_NO_THROW(open("a.mp4,x,train,0,2\na.mp4,x,test,2,\nb.mp4,x,train,,\n"));
  EXPECT_THAT(io::user_error([&] { open("a.mp4,x,train,0,2\na.mp4,x,test,1.5,\n"); }),
              HasSubstr("train a.mp4#0-2 (0-2 s) and test a.mp4#1.5- (from 1.5 s)"));
  EXPECT_THAT(io::user_error([&] { open("a.mp4,x,train,0,2\nb.mp4,x,val,,\n./b.mp4,x,test,,\n"); }),
              HasSubstr("val b.mp4 (whole) and test ./b.mp4 (whole)"));
  EXPECT_THAT(io::user_error([&] { open("b.mp4,x,train,,\nlink.mp4,x,test,,\n"); }),
              HasSubstr("train b.mp4 (whole) and test link.mp4 (whole)"));
}

TEST(DatasetSplits, WithCopiesAreTakenAndTheCopiesListed) {
  const DataFolder folder;
  folder.write_good_files(2);
  EXPECT_THAT(folder.open(64)->copies(), IsEmpty());
  fs::copy_file(folder / "train/bell/f1.mp4", folder / "val/drum/other_name.mp4");
  testing::internal::CaptureStdout();  // where the tests' logger writes
  const auto dataset = folder.open(64);
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_THAT(ids(dataset->copies()),
              ElementsAre(Ids("train/bell/f1.mp4", "val/drum/other_name.mp4")));
  EXPECT_THAT(log, HasSubstr("train train/bell/f1.mp4 and val val/drum/other_name.mp4"));
  EXPECT_EQ(dataset->size(Split::kVal), 2);
}

}  // namespace
}  // namespace avbench::data
