#include "report/table_rows.h"

#include <gmock/gmock.h>

#include <cmath>

#include "io/error.h"
#include "report/table_fixture.h"

namespace avbench::report {
namespace {

using testing::HasSubstr;

using TableRows = Table;

TEST_F(TableRows, GiveMeanAndDeviationOverSeeds) {
  add("A", 0, 0.5);
  add("A", 1, 0.7);
  summaries_[{"A", 1}].validation = 0.7;
  summaries_[{"A", 1}].clipped_share = 0.5;
  const auto rows = collect({"A"});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_DOUBLE_EQ(*rows[0].accuracy_mean, 0.6);
  EXPECT_NEAR(*rows[0].accuracy_std, 0.1 * std::sqrt(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(rows[0].validation, 0.6);
  EXPECT_NEAR(rows[0].validation_std, 0.1 * std::sqrt(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(rows[0].clips_per_second, 15);
  EXPECT_DOUBLE_EQ(rows[0].waiting_share, 0.2);
  EXPECT_DOUBLE_EQ(rows[0].clipped_share, 0.25);
  EXPECT_EQ(rows[0].peak_memory_bytes, 2 << 20);
  EXPECT_EQ(rows[0].seeds, (std::vector<int64_t>{0, 1}));
}

TEST_F(TableRows, KeepTheOrderOfTheConfigurationAndLeaveOutWhatIsNotFinished) {
  add("B", 0, 0.1);
  add("A", 0, 0.2);
  const auto rows = collect({"C", "B", "A"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].row, "B");
  EXPECT_EQ(rows[1].row, "A");
}

// The first seed of A is not finished.
TEST_F(TableRows, KeepTheOrderOfTheConfigurationWhateverFinishedFirst) {
  add("B", 0, 0.1);
  add("A", 1, 0.2);
  const auto rows = collect({"A", "B"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].row, "A");
  EXPECT_EQ(rows[0].seeds, (std::vector<int64_t>{1}));
}

TEST_F(TableRows, WithoutATestHaveNoAccuracy) {
  add("A", 0, 0.5);
  summaries_[{"A", 0}].accuracy.reset();
  const auto rows = collect({"A"});
  EXPECT_FALSE(rows[0].accuracy_mean);
  EXPECT_FALSE(rows[0].accuracy_std);
}

// Deviations of 0.1 * sqrt(2) / 2 each: the means may differ by 0.1.
TEST_F(TableRows, AreLikeTheirControlWithinTheDeviations) {
  for (const double gain : {0.09, 0.11}) {
    for (const int seed : {0, 1}) {
      add("A", seed, 0.5 + gain + 0.1 * seed);
      add("A shuffled", seed, 0.5 + 0.1 * seed);
    }
    auto entries = entries_of({"A", "A shuffled"});
    for (TableEntry& entry : entries) {
      if (entry.row == "A shuffled") entry.control_of = "A";
    }
    const auto rows = collect_rows(entries);
    EXPECT_EQ(rows[0].like_its_control, gain < 0.1);
    EXPECT_EQ(rows[0].control_of, "");
    EXPECT_FALSE(rows[1].like_its_control);
    EXPECT_EQ(rows[1].control_of, "A");
  }
}

TEST_F(TableRows, CountSeedsThatAreStaleOrCollapsed) {
  add("A", 0, 0.5);
  add("A", 1, 0.5, "p", "a dead gate");
  auto entries = entries_of({"A"});
  EXPECT_EQ(collect_rows(entries)[0].stale_seeds, 0);
  entries[1].stale = true;
  const auto rows = collect_rows(entries);
  EXPECT_EQ(rows[0].stale_seeds, 1);
  EXPECT_EQ(rows[0].collapsed_seeds, 1);
  EXPECT_EQ(rows[0].collapse, "a dead gate");
}

TEST_F(TableRows, RefuseDifferentProtocols) {
  add("A", 0, 0.5, "one");
  add("B", 0, 0.5, "two");
  try {
    collect({"A", "B"});
    FAIL() << "not refused";
  } catch (const io::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'A' has one"));
    EXPECT_THAT(error.what(), HasSubstr("'B' has two"));
  }
}

TEST_F(TableRows, RefuseSeedsOfDifferentProtocols) {
  add("A", 0, 0.5, "one");
  add("A", 1, 0.5, "two");
  try {
    collect({"A"});
    FAIL() << "not refused";
  } catch (const io::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("seeds 0 and 1"));
    EXPECT_THAT(error.what(), HasSubstr("one and two"));
  }
}

}  // namespace
}  // namespace avbench::report
