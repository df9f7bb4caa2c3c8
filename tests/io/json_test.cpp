#include "io/json.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

TEST(CanonicalJson, SortsKeysAndLeavesOutWhiteSpace) {
  EXPECT_EQ(canonical_json(Json::parse(R"({"b": [1, 2.5, null], "a": {"z": true, "Z": "x y"}})")),
            R"({"a":{"Z":"x y","z":true},"b":[1,2.5,null]})");
}

TEST(CanonicalJson, DoesNotDependOnOrderOfInsertion) {
  Json one, other;
  one["x"] = 1, one["a"] = 2;
  other["a"] = 2, other["x"] = 1;
  EXPECT_EQ(canonical_json(one), canonical_json(other));
}

TEST(CanonicalJson, WritesNumbersShortAndReadsThemBackEqual) {
  EXPECT_EQ(canonical_json(0.1), "0.1");
  EXPECT_EQ(canonical_json(5e-4), "0.0005");
  EXPECT_EQ(canonical_json(uint64_t{18446744073709551615u}), "18446744073709551615");
  for (const double value : {0.1 + 0.2, 1.0 / 3, 1e-300, 4294967295.0, 123456.789e100}) {
    EXPECT_EQ(std::stod(canonical_json(value)), value);
  }
}

TEST(CanonicalJson, RefusesNumbersThatJsonLacks) {
  EXPECT_THROW(canonical_json(std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
  EXPECT_THROW(canonical_json({{"a", {1.0, std::numeric_limits<double>::infinity()}}}),
               std::invalid_argument);
}

TEST(JsonFile, ComesBackAndEveryFlippedBitIsNoticedOrHarmless) {
  const TempFolder folder;
  const auto file = folder / "x.json";
  const Json value = {{"a", 0.1 + 0.2}, {"b", {1, nullptr, "text"}}};
  write_json(file, value);
  EXPECT_EQ(read_json(file), value);
  const std::string whole = read_file(file);
  int noticed = 0;
  for (size_t byte = 0; byte < whole.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[byte] = static_cast<char>(flipped[byte] ^ 1 << bit);
      std::filesystem::remove(file);  // a new file is not flushed to the disk
      std::ofstream(file, std::ios::binary) << flipped;
      try {
        // Hit in white space, or in the checksum's own name, which then is a key too many.
        const Json got = read_json(file);
        for (const auto& [key, content] : value.items()) EXPECT_EQ(got.at(key), content) << flipped;
      } catch (const UserError& error) {
        EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
        ++noticed;
      }
    }
  }
  EXPECT_GT(noticed, 800);
}

TEST(JsonFile, ANumberOutOfRangeIsDamage) {
  const TempFolder folder;
  write_file_atomically(folder / "x.json", R"({"a": 1e999})");
  try {
    read_json(folder / "x.json");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find((folder / "x.json").string()), std::string::npos);
  }
}

TEST(JsonFile, WithoutAChecksumIsTakenAsItIs) {
  const TempFolder folder;
  write_file_atomically(folder / "x.json", R"({"a": 1})");
  EXPECT_EQ(read_json(folder / "x.json"), Json({{"a", 1}}));
}

}  // namespace
}  // namespace avbench::io
