#include "report/text_table.h"

#include <gtest/gtest.h>

namespace avbench::report {
namespace {

TEST(TextTable, AlignsWordsToTheLeftAndNumbersToTheRight) {
  EXPECT_EQ(text_table({{"Row", "Time s", "Note"}, {"SimCLR", "7", "stale"}, {"A", "12", ""}}),
            "| Row    | Time s | Note  |\n"
            "|--------|-------:|-------|\n"
            "| SimCLR |      7 | stale |\n"
            "| A      |     12 |       |\n");
}

TEST(TextTable, CountsCharactersNotBytes) {
  EXPECT_EQ(text_table({{"Row", "x", "Note"}, {"é", "1 ± 2", ""}}),
            "| Row |     x | Note |\n"
            "|-----|------:|------|\n"
            "| é   | 1 ± 2 |      |\n");
}

}  // namespace
}  // namespace avbench::report
