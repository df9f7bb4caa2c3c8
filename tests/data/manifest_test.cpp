#include "data/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "data/csv_reader.h"
#include "data/fixtures.h"
#include "io/message.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseCsv, FollowsRfc4180) {
  const auto records = parse_csv("a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\r\n\n,last", "f");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_THAT(records[0].fields, ElementsAre("a", "b"));
  EXPECT_THAT(records[1].fields, ElementsAre("x, \"y\"", "two\nlines"));
  EXPECT_THAT(records[2].fields, ElementsAre("", "last"));
  EXPECT_EQ(records[1].line, 2);
  EXPECT_EQ(records[2].line, 5);
}

TEST(ParseCsv, NamesTheLineOfAnError) {
  EXPECT_THAT(io::user_error([] { parse_csv("a\nb\"c\n", "m.csv"); }), HasSubstr("m.csv:2:"));
  EXPECT_THAT(io::user_error([] { parse_csv("a\n\n\"b\nc", "m.csv"); }), HasSubstr("m.csv:3:"));
  EXPECT_THAT(io::user_error([] { parse_csv("\"b\"c", "m.csv"); }), HasSubstr("m.csv:1:"));
}

TEST(ReadSource, ReadsAFolderSortedAndWithoutHiddenFiles) {
  const io::TempFolder folder;
  for (const char* file : {"val/b/2.mp4", "train/b/1.mp4", "train/a/3.mp4", "train/a/.hidden",
                           ".cache/x/y.mp4", "train/.thumbs/t.mp4", "README.md"}) {
    write_text(folder / file, "x");
  }
  const auto items = read_source(folder.path());
  std::vector<std::string> ids;
  for (const ManifestEntry& item : items) ids.push_back(item.id);
  EXPECT_THAT(ids, ElementsAre("train/a/3.mp4", "train/b/1.mp4", "val/b/2.mp4"));
  EXPECT_EQ(items[2].split, Split::kVal);
  EXPECT_EQ(items[2].label, "b");
  EXPECT_EQ(items[0].path, folder / "train/a/3.mp4");
  EXPECT_THAT(class_names(items), ElementsAre("a", "b"));
}

TEST(ReadSource, RefusesAFolderOfAnotherLayout) {
  const io::TempFolder folder;
  EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }), HasSubstr("no files found"));
  EXPECT_THAT(io::user_error([&] { read_source(folder / "none"); }), HasSubstr("does not exist"));
  write_text(folder / "trian/a/1.mp4", "x");
  EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }),
              AllOf(HasSubstr("'trian'"), HasSubstr("did you mean 'train'")));
  std::filesystem::rename(folder / "trian", folder / "train");
  write_text(folder / "train/2.mp4", "x");
  EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }), HasSubstr("without a class"));
  std::filesystem::remove(folder / "train/2.mp4");
  write_text(folder / "train/a/b/3.mp4", "x");
  EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }),
              HasSubstr("inside a class folder"));
}

TEST(ReadSource, TakesTheOtherNamesOfTheValidationSplit) {
  for (const char* name : {"validation", "validate"}) {
    const io::TempFolder folder;
    write_text(folder / name / "a/1.mp4", "x");
    const auto items = read_source(folder.path());
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].split, Split::kVal);
    EXPECT_EQ(items[0].id, std::string(name) + "/a/1.mp4");
    write_text(folder / "val/a/2.mp4", "x");
    EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }),
                AllOf(HasSubstr((folder / "val").string()), HasSubstr((folder / name).string()),
                      HasSubstr("are both the split 'val'")));
  }
}

// ---- what cannot be read, and what is no part of a data set ------------------------------------

std::vector<std::string> ids_of(const std::vector<ManifestEntry>& items) {
  std::vector<std::string> ids;
  for (const ManifestEntry& item : items) ids.push_back(item.id);
  return ids;
}

TEST(ReadSource, ListsWhatCannotBeReadLikeAnyOtherFile) {
  const io::TempFolder folder;
  write_text(folder / "train/a/1.mp4", "x");
  fs::create_symlink("nowhere", folder / "train/a/dangling.mp4");
  fs::create_symlink("loop.mp4", folder / "train/a/loop.mp4");
  fs::create_symlink("1.mp4/x", folder / "train/a/through_a_file.mp4");
  fs::create_symlink(std::string(300, 'n'), folder / "train/a/too_long.mp4");
  ASSERT_EQ(::mkfifo((folder / "train/a/pipe.mp4").c_str(), 0600), 0);
  ASSERT_EQ(::mknod((folder / "train/a/socket.mp4").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_THAT(
      ids_of(read_source(folder.path())),
      ElementsAre("train/a/1.mp4", "train/a/dangling.mp4", "train/a/loop.mp4", "train/a/pipe.mp4",
                  "train/a/socket.mp4", "train/a/through_a_file.mp4", "train/a/too_long.mp4"));
}

TEST(ReadSource, RefusesASplitOrAClassThatCannotBeRead) {
  const io::TempFolder folder;
  write_text(folder / "train/a/1.mp4", "x");
  const auto refused = [&](const std::string& name) {
    const std::string text = io::user_error([&] { read_source(folder.path()); });
    EXPECT_THAT(text, AllOf(HasSubstr((folder / name).string()), HasSubstr("can be read"),
                            HasSubstr("move it out of the data set")));
    fs::remove(folder / name);
    return text;
  };
  fs::create_directory_symlink("b", folder / "train/b");
  EXPECT_THAT(refused("train/b"), HasSubstr(std::strerror(ELOOP)));
  fs::create_directory_symlink("nowhere", folder / "train/c");
  EXPECT_THAT(refused("train/c"), HasSubstr(std::strerror(ENOENT)));
  fs::create_directory_symlink("a/1.mp4/d", folder / "train/d");
  EXPECT_THAT(refused("train/d"), HasSubstr(std::strerror(ENOTDIR)));
  fs::create_directory_symlink("val", folder / "val");
  EXPECT_THAT(refused("val"), HasSubstr(std::strerror(ELOOP)));
  fs::create_directory_symlink("/nowhere/at/all", folder / "test");
  EXPECT_THAT(refused("test"), HasSubstr(std::strerror(ENOENT)));
  write_text(folder / "test", "x");
  EXPECT_THAT(refused("test"), HasSubstr(std::strerror(ENOTDIR)));
  EXPECT_EQ(read_source(folder.path()).size(), 1u);
}

TEST(ReadSource, RefusesAFolderWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const io::TempFolder folder;
  for (const char* closed : {"train/a", "train"}) {
    write_text(folder / "train/a/1.mp4", "x");
    fs::permissions(folder / closed, fs::perms::none);
    EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }),
                AllOf(HasSubstr((folder / closed).string()), HasSubstr(std::strerror(EACCES))));
    fs::permissions(folder / closed, fs::perms::owner_all);
  }
}

TEST(ReadSource, RefusesASourceThatCannotBeRead) {
  const io::TempFolder folder;
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THAT(io::user_error([&] { read_source(folder / "loop"); }),
              HasSubstr(std::strerror(ELOOP)));
  EXPECT_THAT(io::user_error([&] { read_source(folder / std::string(300, 'n')); }),
              HasSubstr(std::strerror(ENAMETOOLONG)));
}

TEST(ReadSource, PassesOverWhatSystemsLeaveBehindAtEveryLevel) {
  const io::TempFolder folder;
  write_text(folder / "train/a/1.mp4", "x");
  for (const char* level : {"", "train/", "train/a/"}) {
    for (const char* file :
         {"Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini", ".DS_Store"}) {
      write_text(folder / (std::string(level) + file), "x");
    }
    for (const char* left : {"@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information",
                             "lost+found", "__MACOSX"}) {
      write_text(folder / (std::string(level) + left + "/1.mp4/x"), "x");
    }
  }
  EXPECT_THAT(ids_of(read_source(folder.path())), ElementsAre("train/a/1.mp4"));
  write_text(folder / "train/notes.txt", "x");
  EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }), HasSubstr("without a class"));
}

TEST(ReadSource, RefusesANameThatIsNotUtf8) {
  const io::TempFolder folder;
  write_text(folder / "train/a/\xff.mp4", "x");
  EXPECT_THAT(io::user_error([&] { read_source(folder.path()); }), HasSubstr("is not UTF-8"));
}

class CsvSource : public testing::Test {
 protected:
  CsvSource() {
    write_text(folder_ / "clips/one.mp4", "x");
    write_text(folder_ / "clips/a, b.mp4", "x");
  }
  std::vector<ManifestEntry> read(const std::string& text) {
    write_text(folder_ / "m.csv", text);
    return read_source(folder_ / "m.csv");
  }
  std::string error(const std::string& text) {
    return io::user_error([&] { read(text); });
  }
  io::TempFolder folder_;
};

TEST_F(CsvSource, TakesColumnsInAnyOrderAndPassesOverOthers) {
  const auto items = read(
      "\xEF\xBB\xBFlabel,note,split,path\r\n\"play, \"\"drums\"\"\",hm,test,clips/one.mp4\r\n"
      "sing,,train,\"clips/a, b.mp4\"\r\n");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].id, "clips/a, b.mp4");
  EXPECT_EQ(items[0].file, "clips/a, b.mp4");
  EXPECT_EQ(items[0].path, folder_ / "clips/a, b.mp4");
  EXPECT_EQ(items[1].label, "play, \"drums\"");
  EXPECT_EQ(items[1].split, Split::kTest);
  EXPECT_FALSE(items[1].start || items[1].end);
}

TEST_F(CsvSource, TakesTheOtherNamesOfTheValidationSplit) {
  const auto items = read(
      "path,label,split\nclips/a.mp4,a,validate\nclips/b.mp4,a,validation\nclips/c.mp4,a,val\n");
  ASSERT_EQ(items.size(), 3u);
  for (const ManifestEntry& item : items) EXPECT_EQ(item.split, Split::kVal);
}

TEST_F(CsvSource, TakesPartsOfAFile) {
  const std::string path = (folder_ / "clips/one.mp4").string();
  const auto items = read("path,label,split,start,end\n" + path + ",a,train,1.5,3\n" + path +
                          ",a,train,,1\n" + path + ",a,train,4,\n" + path + ",a,train,,\n");
  std::vector<std::string> ids;
  for (const ManifestEntry& item : items) ids.push_back(item.id.substr(path.size()));
  EXPECT_THAT(ids, ElementsAre("", "#-1", "#1.5-3", "#4-"));
  for (const ManifestEntry& item : items) EXPECT_EQ(item.file, path);
  EXPECT_EQ(items[2].start, 1.5);
  EXPECT_EQ(items[2].end, 3);
  EXPECT_FALSE(items[3].end);
}

TEST_F(CsvSource, ListsFilesThatAreMissingOrNone) {
  const std::string long_name(300, 'n');
  fs::create_symlink("loop.mp4", folder_ / "clips/loop.mp4");
  const auto items = read(
      "path,label,split\nclips/one.mp4,a,train\nclips/two.mp4,a,train\n"
      "clips,a,train\nclips/one.mp4/x,a,train\nclips/loop.mp4,a,train\n" +
      long_name + ",a,train\n");
  EXPECT_THAT(ids_of(items), ElementsAre("clips", "clips/loop.mp4", "clips/one.mp4",
                                         "clips/one.mp4/x", "clips/two.mp4", long_name));
}

TEST_F(CsvSource, RefusesAnotherEncodingThanUtf8) {
  EXPECT_THAT(error({"\xFF\xFEp\0", 4}),
              AllOf(HasSubstr("m.csv: got text in UTF-16"), HasSubstr("Save the file as UTF-8")));
}

TEST_F(CsvSource, NamesFileLineAndWhatWasExpected) {
  const std::string ok = "path,label,split\nclips/one.mp4,a,train\n";
  EXPECT_THAT(error("path,label,split\n"), HasSubstr("no rows"));
  EXPECT_THAT(error("path,labels,split\nclips/one.mp4,a,train\n"),
              AllOf(HasSubstr("m.csv:1:"), HasSubstr("no column 'label'"), HasSubstr("labels")));
  EXPECT_THAT(error("path,label,split,label\nclips/one.mp4,a,train,b\n"), HasSubstr("twice"));
  EXPECT_THAT(error(ok + "clips/one.mp4,a\n"), AllOf(HasSubstr("m.csv:3:"), HasSubstr("2 fields")));
  EXPECT_THAT(error(ok + "\nclips/one.mp4,a,tain\n"),
              AllOf(HasSubstr("m.csv:4:"), HasSubstr("'tain'"), HasSubstr("'train'")));
  EXPECT_THAT(error(ok + "clips/one.mp4,,val\n"), HasSubstr("'label' is empty"));
  EXPECT_THAT(error(ok + "clips/one.mp4,b,train\n"), HasSubstr("already on line 2"));
  const std::string head = "path,label,split,start,end\nclips/one.mp4,a,train,";
  EXPECT_THAT(error(head + "soon,\n"), AllOf(HasSubstr("m.csv:2:"), HasSubstr("'soon'")));
  EXPECT_THAT(error(head + "-1,\n"), HasSubstr("'-1'"));
  EXPECT_THAT(error(head + "nan,\n"), HasSubstr("'nan'"));
  EXPECT_THAT(error(head + "3,2\n"), HasSubstr("not after start"));
}

}  // namespace
}  // namespace avbench::data
