#include "data/index_cache.h"

#include <gtest/gtest.h>

#include <map>

#include "data/fixtures.h"
#include "io/atomic_file.h"
#include "io/sha256.h"

namespace avbench::data {
namespace {

// Gives every field a value of its own.
class Filler {
 public:
  template <class T>
  void operator()(const char*, T& value) {
    fill(value);
  }

 private:
  template <class T>
  requires std::is_arithmetic_v<T>
  void fill(T& value) { value = static_cast<T>(next_ += 1.25); }
  void fill(bool& value) { value = !value; }
  void fill(media::FileStatus& value) { value = media::FileStatus::kTimeout; }
  void fill(std::string& value) { value = "text " + std::to_string(next_ += 1); }
  void fill(media::Interval& value) { value = {next_ += 1, next_ += 1}; }
  void fill(media::RandomAccessPoint& value) {
    for (int64_t* number :
         {&value.packet, &value.frame_index, &value.pts, &value.dts, &value.bytes}) {
      fill(*number);
    }
    fill(value.seconds);
    fill(value.audio_before_until);
  }
  void fill(FileStamp& value) {
    fill(value.bytes);
    fill(value.modified);
  }
  template <class T>
  void fill(std::vector<T>& values) {
    values.resize(3);
    for (T& value : values) fill(value);
  }
  void fill(std::shared_ptr<const media::VideoIndex>& value) {
    auto made = std::make_shared<media::VideoIndex>();
    fields(*this, *made);
    value = made;
  }

  double next_ = 0;
};

// Every field as text, by name.
class Printer {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    printed[name] = testing::PrintToString(value);
  }
  void operator()(const char* name, const FileStamp& value) {
    printed[name] = testing::PrintToString(std::pair(value.bytes, value.modified));
  }
  void operator()(const char*, const std::shared_ptr<const media::VideoIndex>& value) {
    fields(*this, *value);
  }
  void operator()(const char* name, const std::vector<media::RandomAccessPoint>& values) {
    std::string text;
    for (const media::RandomAccessPoint& e : values) {
      text += testing::PrintToString(std::tuple(e.packet, e.frame_index, e.pts, e.dts, e.bytes,
                                                e.seconds, e.audio_before_until));
    }
    printed[name] = text;
  }
  void operator()(const char* name, const std::vector<media::Interval>& values) {
    std::string text;
    for (const media::Interval& i : values)
      text += testing::PrintToString(std::pair(i.begin, i.end));
    printed[name] = text;
  }

  std::map<std::string, std::string> printed;
};

std::map<std::string, std::string> printed(const IndexEntry& entry) {
  Printer printer;
  fields(printer, entry);
  return printer.printed;
}

TEST(IndexCache, GivesBackEveryFieldThatWasSaved) {
  const io::TempFolder folder;
  IndexEntry filled, empty;
  Filler filler;
  fields(filler, filled);
  empty.index = std::make_shared<const media::VideoIndex>();
  const auto before = printed(filled), nothing = printed(empty);
  ASSERT_EQ(before.size(),
            io::field_count<IndexEntry>() - 1 + io::field_count<media::VideoIndex>());
  for (const auto& [name, value] : before) EXPECT_NE(value, nothing.at(name)) << name;
  save_index_cache(folder / "new/x.bin", {{"a", filled}, {"b", empty}});
  const IndexEntries read = load_index_cache(folder / "new/x.bin");
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(printed(read.at("a")), before);
  EXPECT_EQ(printed(read.at("b")), nothing);
}

// A file of the first version, which lacked fields, with a checksum that holds.
TEST(IndexCache, TakesAnOlderVersionForNone) {
  const io::TempFolder folder;
  const auto file = folder / "x.bin";
  save_index_cache(file, {{"a", {{5, 6}, "digest", std::make_shared<media::VideoIndex>()}}});
  std::string bytes = io::read_file(file);
  constexpr size_t kDigest = 64;
  bytes.resize(bytes.size() - kDigest);
  const size_t version = bytes.find("index ") + 6;
  ASSERT_GT(bytes[version], '1');
  bytes[version] = '1';
  write_text(file, bytes + io::sha256_hex(bytes));
  EXPECT_TRUE(load_index_cache(file).empty());
}

TEST(IndexCache, TakesADamagedFileForNone) {
  const io::TempFolder folder;
  EXPECT_TRUE(load_index_cache(folder / "none.bin").empty());
  const auto file = folder / "x.bin";
  save_index_cache(file, {{"a", {{5, 6}, "digest", std::make_shared<media::VideoIndex>()}}});
  const std::string good = io::read_file(file);
  ASSERT_EQ(load_index_cache(file).size(), 1u);
  for (size_t size = 0; size < good.size(); size += 7) {
    write_text(file, good.substr(0, size));
    EXPECT_TRUE(load_index_cache(file).empty()) << size;
  }
  for (size_t at = 0; at < good.size(); at += 5) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    write_text(file, bad);
    EXPECT_TRUE(load_index_cache(file).empty()) << at;
  }
}

}  // namespace
}  // namespace avbench::data
