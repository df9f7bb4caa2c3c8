#include "experiment/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "io/json_fields.h"
#include "io/message.h"

namespace avbench::experiment {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

config::RowConfig row_with(std::vector<config::Setting> sweep) {
  config::RowConfig row;
  row.name = "A";
  row.method = "m";
  row.sweep = std::move(sweep);
  return row;
}

const std::vector<config::Setting> kGrid = {{"params.temperature", "0.1,0.5,1", "f:3"},
                                            {"pretrain.optimizer.lr", "0.01,0.1", "f:4"}};

TEST(DrawTrials, AreDifferentPointsOfTheRowsGrid) {
  const config::RowConfig row = row_with(kGrid);
  EXPECT_EQ(grid_size(row), 6);
  const auto all = draw_trials(row, {}, 6, 0);
  EXPECT_EQ(std::set<Trial>(all.begin(), all.end()).size(), 6u);
  for (const Trial& trial : all) {
    ASSERT_EQ(trial.size(), 2u);
    EXPECT_TRUE(trial[0].starts_with("params.temperature="));
    EXPECT_TRUE(trial[1].starts_with("pretrain.optimizer.lr="));
  }
  EXPECT_THAT(std::set<Trial>(all.begin(), all.end()),
              testing::Contains(ElementsAre("params.temperature=1", "pretrain.optimizer.lr=0.01")));
  const auto two = draw_trials(row, {}, 2, 0);
  EXPECT_EQ(two, (std::vector<Trial>{all[0], all[1]}));
}

TEST(DrawTrials, DependOnTheSeedAndRefuseASmallGrid) {
  const config::RowConfig row = row_with({{"params.a", "1,2,3,4,5,6,7,8,9,10,11,12", "f:3"}});
  EXPECT_NE(draw_trials(row, {}, 6, 0), draw_trials(row, {}, 6, 1));
  EXPECT_EQ(draw_trials(row, {}, 6, 1), draw_trials(row, {}, 6, 1));
  EXPECT_THAT(io::user_error([&] { draw_trials(row, {}, 13, 0); }),
              AllOf(HasSubstr("row 'A'"), HasSubstr("12 points, expected at least 13")));
  EXPECT_THAT(io::user_error([&] { draw_trials(row_with({}), {}, 1, 0); }),
              HasSubstr("has 0 points"));
  EXPECT_THAT(
      io::user_error([&] {
        draw_trials(row_with({{"protocol.clip.frames", "4,8", "f:9"}}), {"protocol.finetune"}, 2,
                    0);
      }),
      AllOf(HasSubstr("f:9"), HasSubstr("'protocol.clip.frames'"), HasSubstr("params.<name>")));
}

TEST(DrawTrials, MayChangeWhatTheTableVaries) {
  const config::RowConfig row = row_with({{"protocol.finetune.optimizer.lr", "0.01,0.1", "f:3"}});
  EXPECT_EQ(draw_trials(row, {"protocol.finetune.optimizer"}, 2, 0).size(), 2u);
}

// In order of the trials: a, b.
SweptRow swept(std::vector<std::pair<Trial, double>> trials) {
  SweptRow row{.row = "A"};
  for (auto& [settings, validation] : trials) row.trials.push_back({settings, validation});
  row.choose();
  return row;
}

TEST(SweptRow, NamesWhatLiesOnAnEdgeOfWhatWasTried) {
  EXPECT_THAT(swept({{{"a=1", "b=x"}, 0.1}, {{"a=2", "b=y"}, 0.3}, {{"a=10", "b=x"}, 0.2}}).edges,
              testing::IsEmpty());
  EXPECT_THAT(swept({{{"a=9", "b=x"}, 0.1}, {{"a=10", "b=y"}, 0.3}}).edges,
              ElementsAre("a=10, the largest of 2"));
  EXPECT_THAT(swept({{{"a=1e-2", "b=3"}, 0.5}, {{"a=1", "b=3"}, 0.3}}).edges,
              ElementsAre("a=1e-2, the smallest of 2"));
  EXPECT_THAT(swept({{{"a=1"}, 0.5}}).edges, testing::IsEmpty());
}

TEST(SweptRow, NamesTies) {
  EXPECT_THAT(swept({{{"a=1"}, 0.5}, {{"a=2"}, 0.3}, {{"a=3"}, 0.5}}).ties, ElementsAre(2u));
  EXPECT_THAT(swept({{{"a=1"}, 0.5}, {{"a=2"}, 0.3}}).ties, testing::IsEmpty());
}

TEST(SweptRow, ChoosesTheBestOnValidationDataAndTheFirstOfEquals) {
  SweptRow row{.row = "A",
               .trials = {{.settings = {"a=1"}, .validation = {}},
                          {.settings = {"a=2"}, .validation = 0.5},
                          {.settings = {"a=3"}, .validation = 0.5}}};
  row.choose();
  EXPECT_EQ(row.chosen, 1u);
  for (SweptTrial& trial : row.trials) trial.validation.reset();
  EXPECT_THROW(row.choose(), std::runtime_error);
  EXPECT_THROW(SweptRow{.row = "A"}.choose(), std::runtime_error);
}

TEST(Sweep, ReadsAndWritesItsKeys) {
  const io::Json written = io::Json::parse(R"({
   "rows": [{"chosen": 1, "row": "A", "edges": ["a=3, the largest of 2"], "ties": [4],
             "trials": [{"settings": ["a=1", "b=2"], "validation": null},
                        {"settings": ["a=3"], "validation": 0.76875}]}],
   "trials": 2})");
  const auto got = io::read_fields<Sweep>(written, "sweep.json");
  EXPECT_EQ(got.trials, 2);
  ASSERT_EQ(got.rows.size(), 1u);
  EXPECT_EQ(got.rows[0].row, "A");
  EXPECT_EQ(got.rows[0].chosen, 1u);
  EXPECT_THAT(got.rows[0].edges, ElementsAre("a=3, the largest of 2"));
  EXPECT_THAT(got.rows[0].ties, ElementsAre(4u));
  ASSERT_EQ(got.rows[0].trials.size(), 2u);
  EXPECT_EQ(got.rows[0].trials[0].settings, (Trial{"a=1", "b=2"}));
  EXPECT_FALSE(got.rows[0].trials[0].validation);
  EXPECT_EQ(got.rows[0].trials[1].settings, Trial{"a=3"});
  EXPECT_EQ(got.rows[0].trials[1].validation, 0.76875);
  EXPECT_EQ(io::write_fields(got), written);
}

}  // namespace
}  // namespace avbench::experiment
