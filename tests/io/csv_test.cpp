#include "io/csv.h"

#include <gtest/gtest.h>

namespace avbench::io {
namespace {

// RFC 4180, section 2, rules 5 to 7.
TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, LineEndsWithALineFeed) {
  EXPECT_EQ(csv_line({"a", "", "b,c"}), "a,,\"b,c\"\n");
  EXPECT_EQ(csv_line({}), "\n");
}

TEST(Csv, ASingleEmptyFieldIsNoEmptyLine) {
  EXPECT_EQ(csv_line({""}), "\"\"\n");
  EXPECT_EQ(csv_line({"", ""}), ",\n");
}

}  // namespace
}  // namespace avbench::io
