// compare --sweep as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "app/tiny_experiment.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kGrids =
    " --set 'rows.SimCLR.sweep={params.temperature: [0.1, 0.5], pretrain.optimizer.lr: [0.001, "
    "0.05]}' --set 'rows.AVCL.sweep={params.lambda_self: [0.1, 0.5, 1]}'";

class Sweep : public TinyExperiment {};

TEST_F(Sweep, TriesAsManySettingsOfEveryMethodAndTestsTheBestOnValidationData) {
  const std::string command = "compare " + configure("r").string() + kGrids + " --sweep 3";
  const Outcome outcome = run(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json sweep = read_json("r/tiny/sweep.json");
  EXPECT_EQ(sweep["trials"], 3);
  ASSERT_EQ(sweep["rows"].size(), 2u);  // methods only
  for (const json& row : sweep["rows"]) {
    const std::string name = row["row"];
    ASSERT_EQ(row["trials"].size(), 3u);
    double best = -1;
    size_t chosen = 0;
    for (size_t i = 0; i < 3; ++i) {
      const std::string trial = "r/tiny.trial-" + std::to_string(i) + "/" + name + "-s0/";
      const double validation = read_json(trial + "finetune.json")["validation"];
      EXPECT_EQ(row["trials"][i]["validation"], validation);
      EXPECT_FALSE(fs::exists(folder_ / (trial + "test.json")));
      EXPECT_FALSE(fs::exists(folder_ / (trial + "predictions.csv")));
      if (validation > best) {
        best = validation;
        chosen = i;
      }
    }
    EXPECT_EQ(row["chosen"], chosen);
    const json made = read_json("r/tiny/" + name + "-s0/run.json")["pretrain"];
    for (const std::string setting : row["trials"][chosen]["settings"]) {
      const size_t sign = setting.find('=');
      const double value = std::stod(setting.substr(sign + 1));
      const json& used = setting.starts_with("params.")
                             ? made["params"][setting.substr(7, sign - 7)]
                             : made["training"]["optimizer"]["lr"];
      EXPECT_EQ(used.get<double>(), value) << setting;
    }
    EXPECT_EQ(read_json("r/tiny/" + name + "-s0/finetune.json")["validation"], best);
  }
  for (const json& row : read_json("r/tiny/table.json")) {
    EXPECT_EQ(row["trials"], row["method"] == "supervised" ? 0 : 3) << row["row"];
    EXPECT_EQ(row["forward_passes"], row["modality"] == "video" ? 1 : 2) << row["row"];
  }
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("| Trials |"), HasSubstr("| Forward passes |")));

  const Outcome again = run(command);  // finds everything done
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, outcome.out);
}

// A method and its control differ in the pairs alone, whether the control is written out or not.
TEST_F(Sweep, GivesControlsWhatIsChosenForTheirRow) {
  const fs::path file = configure("r");
  const std::string text = io::read_file(file);
  std::ofstream(file) << replaced(text, "{name: AVCL, method: avcl, params: {alignment: towers}}",
                                  "{name: Written, method: simclr, control_of: SimCLR, "
                                  "params: {hidden_dim: 8, projector_dim: 8}, "
                                  "protocol: {pretrain: {pairs: shuffled}}}");
  const Outcome outcome =
      run("compare " + file.string() +
          " --validation --sweep 1 --set varies=[protocol.pretrain.pairs] --set "
          "controls=shuffled_pairs --set 'rows.SimCLR.sweep={params.temperature: [0.5]}'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json sweep = read_json("r/tiny/sweep.json");
  ASSERT_EQ(sweep["rows"].size(), 1u);  // a control has no trials of its own
  for (const std::string row : {"SimCLR", "SimCLR shuffled", "Written"}) {
    const json made = read_json("r/tiny/" + row + "-s0/run.json")["pretrain"];
    EXPECT_EQ(made["params"]["temperature"], 0.5) << row;
    EXPECT_EQ(made["budget"]["pairs"], row == "SimCLR" ? "own" : "shuffled") << row;
  }
  EXPECT_FALSE(fs::exists(folder_ / "r/tiny/Written shuffled-s0"));
}

TEST_F(Sweep, GivesABaselineWithAGridAsManyTrials) {
  const Outcome outcome =
      run("compare " + configure("r").string() +
          " --validation --sweep 2 --row Baseline-R --set varies=[protocol.finetune.optimizer.lr] "
          "--set 'rows.Baseline-R.sweep={protocol.finetune.optimizer.lr: [0.01, 1.0e-9]}'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json sweep = read_json("r/tiny/sweep.json");
  ASSERT_EQ(sweep["rows"].size(), 1u);
  const json& row = sweep["rows"][0];
  EXPECT_EQ(row["row"], "Baseline-R");
  ASSERT_EQ(row["trials"].size(), 2u);
  std::set<std::string> tried;
  for (size_t i = 0; i < 2; ++i) {
    const std::string folder = "r/tiny.trial-" + std::to_string(i) + "/Baseline-R-s0/";
    EXPECT_EQ(row["trials"][i]["validation"], read_json(folder + "finetune.json")["validation"]);
    tried.insert(row["trials"][i]["settings"].at(0).get<std::string>());
  }
  EXPECT_EQ(tried.size(), 2u);
  EXPECT_THAT(outcome.err, HasSubstr("of 2 tried: a value beyond it may be better"));
}

TEST_F(Sweep, ADryRunListsTheTrialsAndMakesNone) {
  const Outcome plan =
      run("compare " + configure("r").string() + kGrids + " --sweep 3 --dry-run --no-probe");
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, AllOf(HasSubstr("sweep: 3 trials a row"),
                              HasSubstr("SimCLR trial-0: params.temperature="),
                              HasSubstr("AVCL trial-2: params.lambda_self="),
                              HasSubstr("SimCLR s0: pretrain 12 steps")));
  EXPECT_FALSE(fs::exists(folder_ / "r"));
  EXPECT_FALSE(fs::exists(folder_ / "r/tiny.trial-0"));
}

TEST_F(Sweep, RefusesUnequalEffortAndKeysOfTheProtocol) {
  const std::string config = configure("r").string();
  const Outcome small = run("compare " + config + kGrids + " --sweep 4");
  EXPECT_EQ(small.exit_code, 2);
  EXPECT_THAT(small.err, AllOf(HasSubstr("'AVCL'"), HasSubstr("3 points, expected at least 4")));
  const Outcome none = run("compare " + config + " --sweep 2");
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, AllOf(HasSubstr("'SimCLR'"), HasSubstr("has 0 points"),
                              HasSubstr("such as `sweep: {pretrain.optimizer.lr: [")));
  const Outcome shared = run("compare " + config +
                             " --row SimCLR --sweep 2 --set "
                             "'rows.SimCLR.sweep={protocol.clip.crop: [8, 16]}'");
  EXPECT_EQ(shared.exit_code, 2);
  EXPECT_THAT(shared.err, HasSubstr("'protocol.clip.crop'"));
  const Outcome unknown = run("compare " + config +
                              " --row SimCLR --sweep 2 --set "
                              "'rows.SimCLR.sweep={params.temprature: [0.1, 0.2]}'");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("temperature"));
  EXPECT_FALSE(fs::exists(folder_ / "r"));
}

}  // namespace
}  // namespace avbench::app
