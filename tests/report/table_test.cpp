#include "report/table.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "report/table_fixture.h"

namespace avbench::report {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST_F(Table, JsonHasTheDocumentedKeys) {
  add("A", 0, 0.5);
  const io::Json table = table_json(collect({"A"}));
  for (const char* key : {"row", "method", "modality", "seeds", "accuracy_mean", "accuracy_std",
                          "validation", "forward_passes", "clips_per_second", "peak_memory_bytes",
                          "seconds", "chance", "protocol"}) {
    EXPECT_TRUE(table[0].contains(key)) << key;
  }
  EXPECT_DOUBLE_EQ(table[0]["clips_per_second_without_waiting"], 10 / 0.8);
}

TEST_F(Table, CsvKeepsTheOrderOfItsColumns) {
  for (const int seed : {0, 1}) add("A", seed, 0.5 + 0.25 * seed);
  EXPECT_THAT(table_csv(collect({"A"})),
              testing::MatchesRegex(
                  "row,method,modality,seeds,accuracy_mean,accuracy_std,validation,validation_std,"
                  "train_accuracy,forward_passes,clips_per_second,waiting_share,"
                  "clips_per_second_without_waiting,peak_memory_bytes,seconds,chance,labels_train,"
                  "labels_validation,clipped_share,collapse,collapsed_seeds,stale_seeds,control_of,"
                  "like_its_control,protocol\n"
                  "A,simclr,both,\"\\[0,1\\]\",0.625,0.1767[0-9]*,0.5,0,1,2,15,0.2,18.75,2097152,3,"
                  "0.125,40,80,0,,0,0,,false,p\n"));
}

TEST_F(Table, OfNoRowsHasItsHeader) {
  add("A", 0, 0.5);
  const std::string empty = table_csv({}), one = table_csv(collect({"A"}));
  EXPECT_THAT(empty, testing::StartsWith("row,method,"));
  EXPECT_EQ(std::count(empty.begin(), empty.end(), '\n'), 1);
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 2);
  EXPECT_EQ(table_json({}), io::Json::array());
  EXPECT_THAT(table_markdown({}, "t", ""), HasSubstr("No run has finished yet."));
}

TEST_F(Table, ExplainsADeviationOnlyWhereThereIsOne) {
  add("A", 0, 0.5);
  EXPECT_THAT(table_markdown(collect({"A"}), "t", ""), Not(HasSubstr("±")));
  add("A", 1, 0.75);
  const std::string text = table_markdown(collect({"A"}), "t", "");
  EXPECT_THAT(text, HasSubstr("62.5 ± 17.7"));
  EXPECT_THAT(text, HasSubstr("± is the standard deviation"));
}

TEST_F(Table, SaysChanceProtocolAndCollapse) {
  add("A", 0, 0.5, "abc", "2 % of the gate's columns live");
  const std::string text = table_markdown(collect({"A"}), "title", "what it is");
  EXPECT_THAT(text, testing::StartsWith("# title\n\nwhat it is\n\n| Row"));
  EXPECT_THAT(text, HasSubstr("Chance is 12.5 %"));
  EXPECT_THAT(text, HasSubstr("Protocol abc"));
  EXPECT_THAT(text, HasSubstr("collapsed: 2 % of the gate's columns live"));
  EXPECT_THAT(text, HasSubstr("40 + 80"));
}

TEST_F(Table, ShowsTheShareOfClippedStepsWhereThereWereAny) {
  for (const int seed : {0, 1}) add("A", seed, 0.5);
  EXPECT_THAT(table_markdown(collect({"A"}), "t", ""), Not(HasSubstr("Clipped")));
  summaries_[{"A", 1}].clipped_share = 0.5;
  const std::string text = table_markdown(collect({"A"}), "t", "");
  EXPECT_THAT(text, HasSubstr(" 25.0 |"));
  EXPECT_THAT(text, HasSubstr("- Clipped %: "));
}

TEST_F(Table, ShowsTrialsOnlyAfterASweep) {
  add("A", 0, 0.5);
  add("B", 0, 0.5);
  const auto plain = collect({"A", "B"});
  EXPECT_THAT(table_markdown(plain, "t", ""), Not(HasSubstr("Trials")));
  EXPECT_FALSE(table_json(plain)[0].contains("trials"));
  const auto swept = collect_rows({{.row = "A", .summary = summary("A", 0), .trials = 4},
                                   {.row = "B", .summary = summary("B", 0)}});
  EXPECT_EQ(table_json(swept)[0]["trials"], 4);
  EXPECT_EQ(table_json(swept)[1]["trials"], 0);
  EXPECT_THAT(table_csv(swept), HasSubstr(",trials\n"));
  const std::string text = table_markdown(swept, "t", "");
  EXPECT_THAT(text, HasSubstr("| Trials |"));
  EXPECT_THAT(text, ContainsRegex("\\| A .* +1 \\| +4 \\|"));
  EXPECT_THAT(text, ContainsRegex("\\| B .* +1 \\| +\\|"));
}

TEST_F(Table, OfValidationSaysNothingOfATest) {
  for (const int seed : {0, 1}) {
    add("A", seed, 0.5);
    summaries_[{"A", seed}].accuracy.reset();
    summaries_[{"A", seed}].validation = 0.5 + 0.2 * seed;
  }
  auto entries = entries_of({"A"});
  for (TableEntry& entry : entries) entry.paper = 75.6;
  const auto rows = collect_rows(entries);
  const io::Json table = table_json(rows);
  EXPECT_DOUBLE_EQ(table[0]["validation"], 0.6);
  EXPECT_NEAR(table[0]["validation_std"], 0.1 * std::sqrt(2.0), 1e-12);
  for (const char* key : {"accuracy_mean", "accuracy_std", "measured", "paper"}) {
    EXPECT_FALSE(table[0].contains(key)) << key;
  }
  const std::string text = table_markdown(rows, "t", "");
  EXPECT_THAT(text, ContainsRegex("\\| Row +\\| Modality \\| Validation % \\|"));
  EXPECT_THAT(text, HasSubstr("60.0 ± 14.1"));
  EXPECT_THAT(text, HasSubstr("There are no test results in this table."));
  EXPECT_THAT(text, Not(HasSubstr("paper")));
}

// ---- published accuracies -----------------------------------------------------------------------

class PaperTable : public Table {
 protected:
  std::vector<TableRow> rows() {
    add("A", 0, 0.5);
    add("B", 0, 0.25);
    return collect_rows({{.row = "A", .summary = summary("A", 0), .paper = 75.6},
                         {.row = "B", .summary = summary("B", 0)}});
  }
};

TEST_F(PaperTable, StandsBesideWhatWasMeasuredInTheSameUnit) {
  const io::Json table = table_json(rows());
  EXPECT_EQ(table[0]["paper"], 75.6);
  EXPECT_EQ(table[0]["measured"], 50.0);
  EXPECT_TRUE(table[1]["paper"].is_null());
  EXPECT_EQ(table[1]["measured"], 25.0);

  const std::string text = table_markdown(rows(), "t", "");
  EXPECT_THAT(text, ContainsRegex("\\| paper \\| measured \\| Validation % \\|"));
  EXPECT_THAT(text, ContainsRegex("\\| A +\\| +both \\| +75\\.6 \\| +50\\.0 \\|"));
  EXPECT_THAT(text, ContainsRegex("\\| B +\\| +both \\| +\\| +25\\.0 \\|"));

  const std::string csv = table_csv(rows());
  EXPECT_THAT(csv, HasSubstr(",protocol,paper,measured\n"));
  EXPECT_THAT(csv, HasSubstr(",p,75.6,50\n"));
  EXPECT_THAT(csv, HasSubstr(",p,,25\n"));
}

TEST_F(PaperTable, HasNoSuchColumnsWhereNoRowHasAPublishedAccuracy) {
  add("A", 0, 0.5);
  EXPECT_FALSE(table_json(collect({"A"}))[0].contains("paper"));
  EXPECT_THAT(table_csv(collect({"A"})), Not(HasSubstr("paper")));
  const std::string text = table_markdown(collect({"A"}), "t", "");
  EXPECT_THAT(text, Not(HasSubstr("paper")));
  EXPECT_THAT(text, HasSubstr("Test accuracy %"));
}

}  // namespace
}  // namespace avbench::report
