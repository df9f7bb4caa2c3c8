#include "report/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "io/error.h"

namespace avbench {
namespace {

using testing::HasSubstr;

class Table : public testing::Test {
 protected:
  void add(const std::string& row, int seed, double accuracy, const std::string& protocol = "p",
           const std::string& collapse = "") {
    summaries_[{row, seed}] = {.row = row,
                               .method = "simclr",
                               .modality = "both",
                               .seed = seed,
                               .accuracy = accuracy,
                               .validation = 0.5,
                               .train_accuracy = 1.0,
                               .encoder_forwards = 2,
                               .clips_per_second = 10.0 * (seed + 1),
                               .waiting_share = 0.2,
                               .peak_memory_bytes = (seed + 1) << 20,
                               .seconds = 3.0,
                               .chance = 0.125,
                               .labels_train = 40,
                               .labels_validation = 80,
                               .collapse = collapse,
                               .protocol = protocol};
  }

  std::optional<RunSummary> summary(const std::string& row, int seed) const {
    const auto found = summaries_.find({row, seed});
    if (found == summaries_.end()) return std::nullopt;
    return found->second;
  }

  std::vector<TableEntry> entries_of(const std::vector<std::string>& rows) const {
    std::vector<TableEntry> entries;
    for (const int seed : {0, 1}) {
      for (const std::string& row : rows) entries.push_back({row, summary(row, seed)});
    }
    return entries;
  }

  // Two seeds of each row.
  std::vector<TableRow> collect(const std::vector<std::string>& rows) const {
    return collect_table(entries_of(rows));
  }

  std::map<std::pair<std::string, int>, RunSummary> summaries_;
};

TEST_F(Table, GivesMeanAndDeviationOverSeeds) {
  add("A", 0, 0.5);
  add("A", 1, 0.7);
  const auto rows = collect({"A"});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_DOUBLE_EQ(*rows[0].accuracy_mean, 0.6);
  EXPECT_NEAR(*rows[0].accuracy_std, 0.1 * std::sqrt(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(rows[0].clips_per_second, 15);
  EXPECT_DOUBLE_EQ(rows[0].waiting_share, 0.2);
  EXPECT_DOUBLE_EQ(table_json(rows)[0]["clips_per_second_without_waiting"], 15 / 0.8);
  EXPECT_EQ(rows[0].peak_memory_bytes, 2 << 20);
  EXPECT_EQ(rows[0].seeds, (std::vector<int64_t>{0, 1}));
}

TEST_F(Table, ListsEveryFinishedRunForStatisticsElsewhere) {
  add("A", 0, 0.5);
  add("A", 1, 0.75, "p", "flat, as ever");
  add("B", 1, 0.25);
  auto entries = entries_of({"A", "B"});
  entries.back().stale = true;
  EXPECT_EQ(runs_csv(entries),
            "row,method,modality,seed,accuracy,validation,train_accuracy,clips_per_second,"
            "waiting_share,peak_memory_bytes,seconds,clipped_share,collapse,control_of,stale,"
            "protocol\n"
            "A,simclr,both,0,0.5,0.5,1,10,0.2,1048576,3,0,,,false,p\n"
            "A,simclr,both,1,0.75,0.5,1,20,0.2,2097152,3,0,\"flat, as ever\",,false,p\n"
            "B,simclr,both,1,0.25,0.5,1,20,0.2,2097152,3,0,,,true,p\n");
  EXPECT_THAT(table_csv(collect({"A"})), HasSubstr("A,simclr,both,\"[0,1]\",0.625,"));
}

TEST_F(Table, ExplainsADeviationOnlyWhereThereIsOne) {
  add("A", 0, 0.5);
  EXPECT_THAT(table_markdown(collect({"A"}), "t", ""), testing::Not(HasSubstr("±")));
  add("A", 1, 0.75);
  EXPECT_THAT(table_markdown(collect({"A"}), "t", ""), HasSubstr("± is the standard deviation"));
}

TEST_F(Table, KeepsTheOrderOfTheConfigurationAndLeavesOutWhatIsNotFinished) {
  add("B", 0, 0.1);
  add("A", 0, 0.2);
  const auto rows = collect({"C", "B", "A"});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].row, "B");
  EXPECT_EQ(rows[1].row, "A");
}

// Deviations of 0.1 * sqrt(2) / 2 each: the means may differ by 0.1.
TEST_F(Table, MarksRowsThatAreNoBetterThanTheirControl) {
  for (const double gain : {0.09, 0.11}) {
    for (const int seed : {0, 1}) {
      add("A", seed, 0.5 + gain + 0.1 * seed);
      add("A shuffled", seed, 0.5 + 0.1 * seed);
    }
    auto entries = entries_of({"A", "A shuffled"});
    for (TableEntry& entry : entries) {
      if (entry.row == "A shuffled") entry.control_of = "A";
    }
    const auto rows = collect_table(entries);
    EXPECT_EQ(rows[0].like_its_control, gain < 0.1);
    EXPECT_FALSE(rows[1].like_its_control);
    const std::string text = table_markdown(rows, "t", "");
    EXPECT_EQ(text.find("not cross-modal") != std::string::npos, gain < 0.1) << text;
    EXPECT_THAT(text, HasSubstr("control of A"));
    EXPECT_EQ(table_json(rows)[0]["like_its_control"], gain < 0.1);
    EXPECT_THAT(table_csv(rows), HasSubstr(gain < 0.1 ? ",true" : ",false"));
  }
}

TEST_F(Table, MarksWhatAnotherBuildOfThePluginMade) {
  for (const int seed : {0, 1}) add("A", seed, 0.5);
  auto entries = entries_of({"A"});
  entries[1].stale = true;
  const auto rows = collect_table(entries);
  EXPECT_EQ(rows[0].stale_seeds, 1);
  EXPECT_THAT(table_markdown(rows, "t", ""),
              HasSubstr("1 of 2 stale: made by another build of the plugin"));
  EXPECT_EQ(table_json(rows)[0]["stale_seeds"], 1);
}

TEST_F(Table, ShowsTheShareOfClippedStepsWhereThereWereAny) {
  for (const int seed : {0, 1}) add("A", seed, 0.5);
  EXPECT_EQ(table_markdown(collect({"A"}), "t", "").find("Clipped"), std::string::npos);
  summaries_[{"A", 1}].clipped_share = 0.5;
  EXPECT_DOUBLE_EQ(collect({"A"})[0].clipped_share, 0.25);
  EXPECT_THAT(table_markdown(collect({"A"}), "t", ""), HasSubstr(" 25.0 |"));
}

TEST_F(Table, RefusesRowsOfDifferentProtocols) {
  add("A", 0, 0.5, "one");
  add("B", 0, 0.5, "two");
  try {
    collect({"A", "B"});
    FAIL() << "not refused";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'A' has one"));
    EXPECT_THAT(error.what(), HasSubstr("'B' has two"));
  }
}

TEST_F(Table, RefusesSeedsOfDifferentProtocolsInOneRow) {
  add("A", 0, 0.5, "one");
  add("A", 1, 0.5, "two");
  EXPECT_THROW(collect({"A"}), UserError);
}

TEST_F(Table, SaysChanceProtocolAndCollapse) {
  add("A", 0, 0.5, "abc", "2 % of the gate's columns live");
  const std::string text = table_markdown(collect({"A"}), "title", "what it is");
  EXPECT_THAT(text, HasSubstr("Chance is 12.5 %"));
  EXPECT_THAT(text, HasSubstr("Protocol abc"));
  EXPECT_THAT(text, HasSubstr("collapsed: 2 % of the gate's columns live"));
  EXPECT_THAT(text, HasSubstr("40 + 80"));
}

TEST_F(Table, JsonHasTheDocumentedKeys) {
  add("A", 0, 0.5);
  const Json table = table_json(collect({"A"}));
  for (const char* key : {"row", "method", "modality", "seeds", "accuracy_mean", "accuracy_std",
                          "validation", "encoder_forwards", "clips_per_second", "peak_memory_bytes",
                          "seconds", "chance", "protocol"}) {
    EXPECT_TRUE(table[0].contains(key)) << key;
  }
}

TEST_F(Table, ShowsTrialsOnlyAfterASweep) {
  add("A", 0, 0.5);
  add("B", 0, 0.5);
  const auto plain = collect({"A", "B"});
  EXPECT_THAT(table_markdown(plain, "t", ""), testing::Not(HasSubstr("Trials")));
  EXPECT_FALSE(table_json(plain)[0].contains("trials"));
  const auto swept = collect_table({{"A", summary("A", 0), {}, 4}, {"B", summary("B", 0)}});
  EXPECT_EQ(table_json(swept)[0]["trials"], 4);
  EXPECT_EQ(table_json(swept)[1]["trials"], 0);
  EXPECT_THAT(table_markdown(swept, "t", ""), HasSubstr("| Trials |"));
  EXPECT_THAT(table_csv(swept), HasSubstr(",trials\n"));
}

TEST_F(Table, OfNoRowsHasItsHeader) {
  add("A", 0, 0.5);
  const std::string empty = table_csv({}), one = table_csv(collect({"A"}));
  EXPECT_THAT(empty, testing::StartsWith("row,method,"));
  EXPECT_EQ(std::count(empty.begin(), empty.end(), '\n'), 1);
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 2);
}

TEST_F(Table, CountsTheSeedsThatCollapsed) {
  add("A", 0, 0.5);
  add("A", 1, 0.5, "p", "a dead gate");
  EXPECT_EQ(table_json(collect({"A"}))[0]["collapsed_seeds"], 1);
  EXPECT_THAT(table_markdown(collect({"A"}), "t", ""), HasSubstr("1 of 2 collapsed: a dead gate"));
}

// ---- validation -----------------------------------------------------------------------------

TEST_F(Table, OfValidationSaysNothingOfATest) {
  for (const int seed : {0, 1}) {
    add("A", seed, 0.5);
    summaries_[{"A", seed}].accuracy.reset();
    summaries_[{"A", seed}].validation = 0.5 + 0.2 * seed;
  }
  const auto rows = collect_table({{"A", summary("A", 0), 75.6}, {"A", summary("A", 1), 75.6}});
  const Json table = table_json(rows);
  EXPECT_DOUBLE_EQ(table[0]["validation"], 0.6);
  EXPECT_NEAR(table[0]["validation_std"], 0.1 * std::sqrt(2.0), 1e-12);
  for (const char* key : {"accuracy_mean", "accuracy_std", "measured", "paper"}) {
    EXPECT_FALSE(table[0].contains(key)) << key;
  }
  const std::string text = table_markdown(rows, "t", "");
  EXPECT_THAT(text, testing::ContainsRegex("\\| Row +\\| Modality \\| Validation % \\|"));
  EXPECT_THAT(text, HasSubstr("60.0 ± 14.1"));
  EXPECT_THAT(text, HasSubstr("this table has no test"));
}

// ---- published figures --------------------------------------------------------------------------

class PaperTable : public Table {
 protected:
  std::vector<TableRow> rows() {
    add("A", 0, 0.5);
    add("B", 0, 0.25);
    return collect_table({{"A", summary("A", 0), 75.6}, {"B", summary("B", 0), std::nullopt}});
  }
};

TEST_F(PaperTable, StandBesideWhatWasMeasuredInTheSameUnit) {
  const Json table = table_json(rows());
  EXPECT_EQ(table[0]["paper"], 75.6);
  EXPECT_EQ(table[0]["measured"], 50.0);
  EXPECT_TRUE(table[1]["paper"].is_null());
  EXPECT_EQ(table[1]["measured"], 25.0);

  const std::string text = table_markdown(rows(), "t", "");
  EXPECT_THAT(text, testing::ContainsRegex("\\| paper \\| measured \\|"));
  EXPECT_THAT(text, testing::ContainsRegex("\\| A +\\| +both \\| +75\\.6 \\| +50\\.0 \\|"));
  EXPECT_THAT(text, testing::ContainsRegex("\\| B +\\| +both \\| +\\| +25\\.0 \\|"));

  const std::string csv = table_csv(rows());
  EXPECT_THAT(csv, HasSubstr(",protocol,paper,measured\n"));
  EXPECT_THAT(csv, HasSubstr(",p,75.6,50\n"));
  EXPECT_THAT(csv, HasSubstr(",p,,25\n"));
}

TEST_F(PaperTable, AreNoColumnsWhereNoRowHasOne) {
  add("A", 0, 0.5);
  EXPECT_FALSE(table_json(collect({"A"}))[0].contains("paper"));
  EXPECT_EQ(table_csv(collect({"A"})).find("paper"), std::string::npos);
  const std::string text = table_markdown(collect({"A"}), "t", "");
  EXPECT_EQ(text.find("paper"), std::string::npos);
  EXPECT_THAT(text, HasSubstr("Test accuracy %"));
}

}  // namespace
}  // namespace avbench
