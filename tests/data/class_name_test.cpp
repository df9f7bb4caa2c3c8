#include "data/class_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"

namespace avbench::data {
namespace {

using testing::ElementsAre;

std::vector<std::string> united(const std::vector<std::string>& labels) {
  std::vector<ManifestEntry> items;
  for (const std::string& label : labels) items.push_back({.label = label});
  unite_spellings(items);
  std::vector<std::string> result;
  for (const ManifestEntry& item : items) result.push_back(item.label);
  return result;
}

TEST(ClassName, IsTheFilesOwnUnlessTheySpellItInTwoWays) {
  EXPECT_THAT(united({"tap_dancing", "tap_dancing", "playing drums", "Tap_dancing"}),
              ElementsAre("tap_dancing", "tap_dancing", "playing drums", "Tap_dancing"));
  EXPECT_THAT(united({"tap_dancing", "tap dancing", "a_b c", "a b_c", "a_b c"}),
              ElementsAre("tap dancing", "tap dancing", "a b c", "a b c", "a b c"));
}

TEST(ClassName, OfFoldersInTwoSpellingsIsOneClass) {
  const io::TempFolder folder;
  for (const char* file :
       {"train/playing_guitar/1.mp4", "train/playing guitar/1.mp4", "val/playing guitar/2.mp4",
        "test/playing_guitar/3.mp4", "train/tap_dancing/4.mp4"}) {
    write_text(folder / file, "x");
  }
  const auto items = read_source(folder.path());
  EXPECT_THAT(class_names(items), ElementsAre("playing guitar", "tap_dancing"));
  std::vector<std::string> ids;
  for (const ManifestEntry& item : items) ids.push_back(item.id);
  EXPECT_THAT(ids, ElementsAre("train/playing guitar/1.mp4", "train/playing_guitar/1.mp4",
                               "train/tap_dancing/4.mp4", "val/playing guitar/2.mp4",
                               "test/playing_guitar/3.mp4"));
}

TEST(ClassName, OfLabelsInTwoSpellingsIsOneClassOfADataset) {
  const DataFolder folder;
  for (const char* name : {"a.mp4", "b.mp4", "c.mp4"})
    write_movie(folder / name, {.pattern = name[0]});
  write_text(folder / "m.csv",
             "path,label,split\na.mp4,tap_dancing,train\nb.mp4,singing,train\n"
             "c.mp4,tap dancing,val\n");
  write_text(folder / "list.txt", "singing\ntap_dancing\n");
  const auto dataset = Dataset::open(
      {.source = (folder / "m.csv").string(), .classes = (folder / "list.txt").string()},
      small_clip(), small_spectrogram(), {.cache_mib = 0});
  EXPECT_THAT(dataset->classes(), ElementsAre("singing", "tap dancing"));
  EXPECT_THAT(dataset->labels(Split::kTrain), ElementsAre(1, 0));
  EXPECT_THAT(dataset->labels(Split::kVal), ElementsAre(1));
}

}  // namespace
}  // namespace avbench::data
