#include "report/row_note.h"

#include <gtest/gtest.h>

namespace avbench::report {
namespace {

TEST(RowNote, IsEmptyIfThereIsNothingToSay) { EXPECT_EQ(row_note({.seeds = {0, 1}}), ""); }

TEST(RowNote, CountsSeedsOnlyWhereThereAreSeveral) {
  TableRow row{.seeds = {0}, .collapse = "a dead gate", .collapsed_seeds = 1, .stale_seeds = 1};
  EXPECT_EQ(row_note(row), "stale: made by another build of the plugin; collapsed: a dead gate");
  row.seeds = {0, 1, 2};
  row.collapsed_seeds = 2;
  EXPECT_EQ(
      row_note(row),
      "stale: made by another build of the plugin (1 of 3 seeds); collapsed: a dead gate (2 of "
      "3 seeds)");
}

TEST(RowNote, NamesControls) {
  EXPECT_EQ(row_note({.seeds = {0}, .control_of = "SimCLR"}), "control of SimCLR");
  EXPECT_EQ(row_note({.seeds = {0}, .like_its_control = true}),
            "not cross-modal: no better than its control");
}

}  // namespace
}  // namespace avbench::report
