// The AVCL paper's tables at the smallest scale: every row through every stage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "app/rendered_data.h"
#include "app/run_avbench.h"
#include "config/load.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kConfigs = fs::path(AVBENCH_SOURCE_DIR) / "configs";

class Tables : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { shared_ = new io::TempFolder; }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }

  static fs::path table(const std::string& name) {
    return kConfigs / "experiments" / (name + ".yaml");
  }

  // The synthetic classes are not those of the lists.
  std::vector<std::string> sets() const {
    return {"protocol.data.source=" + smallest_data().string(),
            "protocol.data.classes=", "run.results=" + (folder_ / "results").string()};
  }

  Outcome compare(const std::string& name, const std::string& more = "") const {
    std::string arguments = "compare " + table(name).string() + " --with " + scale().string();
    for (const std::string& set : sets()) arguments += " --set " + set;
    return run_avbench(arguments + " " + more, "AVBENCH_CACHE=" + (*shared_ / "cache").string());
  }

  static fs::path scale() { return kConfigs / "scales/smallest.yaml"; }

  size_t pretrainings() const {
    const auto entries = fs::directory_iterator(folder_ / "results/pretrain");
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  json read(const std::string& file) const {
    return json::parse(io::read_file(folder_ / "results" / file));
  }

  io::TempFolder folder_;
  static inline io::TempFolder* shared_ = nullptr;
};

TEST_P(Tables, RunsEveryRowAndPrintsItBesideThePapersMetric) {
  const config::Experiment experiment =
      config::load_experiment(table(GetParam()), sets(), {scale()});
  const Outcome outcome = compare(GetParam());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("paper | measured |"), HasSubstr("mean nothing")));
  const json printed = read(std::string(GetParam()) + "/table.json");
  ASSERT_EQ(printed.size(), experiment.rows.size());
  std::set<std::string> protocols;
  for (size_t i = 0; i < printed.size(); ++i) {
    const config::RowConfig& row = experiment.rows[i];
    EXPECT_EQ(printed[i]["row"], row.name);
    EXPECT_EQ(printed[i]["paper"], row.paper ? json(*row.paper) : json()) << row.name;
    EXPECT_EQ(printed[i]["measured"], 100 * printed[i]["accuracy_mean"].get<double>());
    protocols.insert(printed[i]["protocol"]);
    const json run = read(experiment.name + "/" + row.name + "-s0/run.json");
    for (const std::string& key : experiment.varies) EXPECT_TRUE(run["varied"].contains(key));
  }
  EXPECT_EQ(protocols.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, Tables,
                         testing::Values("table1", "table2", "table3", "table4", "table4_k100"),
                         [](const auto& info) { return std::string(info.param); });

using OneTable = Tables;

// The files name the rows of another one: a row that was renamed there would be a new row here.
TEST_F(OneTable, OfTheTowersChangeTheReadingOfEveryRowAndNothingElse) {
  for (const std::string name : {"table1", "table2", "table3"}) {
    const config::Experiment printed = config::load_experiment(table(name), sets(), {});
    const config::Experiment towers = config::load_experiment(table(name + "_towers"), sets(), {});
    ASSERT_EQ(towers.rows.size(), printed.rows.size()) << name;
    for (size_t i = 0; i < towers.rows.size(); ++i) {
      EXPECT_EQ(towers.rows[i].name, printed.rows[i].name);
      EXPECT_EQ(towers.rows[i].paper, printed.rows[i].paper);
      const auto alignment = [](const config::RowConfig& row) {
        for (const config::Setting& setting : row.params) {
          if (setting.name == "alignment") return setting.text;
        }
        return std::string();
      };
      EXPECT_EQ(alignment(towers.rows[i]), "towers") << towers.rows[i].name;
    }
  }
}

TEST_F(OneTable, TrainsARowThatStandsInSeveralOnce) {
  const std::map<std::string, std::string> same = {
      {"table1", "RGB 16 + whole mel"}, {"table2", "pool-final"}, {"table3", "AVCL (0.9 0.1)"}};
  std::set<std::string> results;
  std::string copied;
  for (const auto& [name, row] : same) {
    const Outcome outcome = compare(name, "--row '" + row + "'");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    copied += outcome.err.find("its results are copied") != std::string::npos ? "y" : "n";
    const std::string folder = name + "/" + row + "-s0/";
    results.insert(io::read_file(folder_ / "results" / folder / "predictions_clips.csv") +
                   io::read_file(folder_ / "results" / folder / "metrics.jsonl"));
    EXPECT_EQ(read(folder + "summary.json")["row"], row);
    EXPECT_TRUE(fs::exists(folder_ / "results" / folder / "checkpoints/best.safetensors"));
  }
  EXPECT_EQ(pretrainings(), 1u);
  EXPECT_EQ(copied, "nyy");
  EXPECT_EQ(results.size(), 1u);

  // What was copied is what a run of its own gives.
  const fs::path own = folder_ / "results/table3/AVCL (0.9 0.1)-s0/predictions_clips.csv";
  const std::string before = io::read_file(own);
  fs::remove_all(folder_ / "results");
  ASSERT_EQ(compare("table3", "--row 'AVCL (0.9 0.1)'").exit_code, 0);
  EXPECT_EQ(io::read_file(own), before);

  // A dry run says so.
  const Outcome plan = compare("table2", "--row pool-final --dry-run");
  EXPECT_THAT(plan.out, HasSubstr("pool-final s0: the same as "));
}

TEST_F(OneTable, RunsAnewWhatCanNoLongerBeCopied) {
  ASSERT_EQ(compare("table2", "--row pool-final").exit_code, 0);
  fs::remove_all(folder_ / "results/table2");
  const Outcome outcome = compare("table3", "--row 'AVCL (0.9 0.1)'");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("copied"), std::string::npos);
  EXPECT_EQ(pretrainings(), 1u);
}

TEST_F(OneTable, OfABaselineWithAMethodsFusionPretrainsNothing) {
  const Outcome outcome = compare("table4", "--row 'Baseline-R+A + AMFM'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "results/pretrain"));
  const json summary = read("table4/Baseline-R+A + AMFM-s0/summary.json");
  EXPECT_EQ(summary["method"], "avcl");
  EXPECT_GT(summary["clips_per_second"].get<double>(), 0);
}

TEST_F(OneTable, ADryRunEstimatesTimeAndDiskOfEachRow) {
  const Outcome plan = compare("table1", "--dry-run");
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  for (const char* row : {"RGB 16 \\+ raw audio", "RGB 1 \\+ 1.2 s mel"}) {
    EXPECT_THAT(plan.out,
                testing::ContainsRegex(std::string(row) + " s0: pretrain 2 steps; finetune 2 "
                                                          "steps; test 4 clips; about [0-9]+ s, "
                                                          "[0-9]+ MiB\n"));
  }
  EXPECT_THAT(plan.out, testing::ContainsRegex("\nin all about [0-9]+ s, [0-9]+ MiB of checkp"));
  EXPECT_FALSE(fs::exists(folder_ / "results"));

  const Outcome plain = compare("table1", "--dry-run --no-probe");
  EXPECT_THAT(plain.out, HasSubstr("RGB 1 + 1.2 s mel s0: pretrain 2 steps; finetune 2 steps; test "
                                   "4 clips\n"));
  EXPECT_EQ(plain.out.find("about"), std::string::npos);
  EXPECT_NE(compare("table1", "--no-probe").exit_code, 0);
}

TEST_F(OneTable, OwnVideosHaveAConfigurationOfTheirOwnInThreeSizes) {
  const std::string command = "compare " + (kConfigs / "my_videos.yaml").string();
  const std::string rest =
      " --dry-run --no-probe --set protocol.data.source=" + smallest_data().string() +
      " --set protocol.pretrain.batch_size=2 --set run.results=" + (folder_ / "results").string();
  const std::string cache = "AVBENCH_CACHE=" + (*shared_ / "cache").string();
  std::set<std::string> plans;
  for (const std::string& scale : {"", "medium", "large"}) {
    std::string with;
    if (!scale.empty()) with = " --with " + (kConfigs / "scales" / (scale + ".yaml")).string();
    // Clips of these sizes are longer than the test's own files.
    const Outcome plan =
        run_avbench(command + with + rest + " --set protocol.clip.frames=2", cache);
    ASSERT_EQ(plan.exit_code, 0) << plan.err;
    EXPECT_EQ(plan.out.find("ynthetic"), std::string::npos);
    EXPECT_THAT(plan.out, HasSubstr("SimCLR s2: pretrain"));
    plans.insert(plan.out);
  }
  EXPECT_EQ(plans.size(), 3u);
}

TEST_F(OneTable, StopsAtARowWithoutAPlugin) {
  const Outcome outcome = compare("table4", "--set rows.SimCLR.method=simklr");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("unknown method"));
  EXPECT_FALSE(fs::exists(folder_ / "results"));
}

TEST_F(OneTable, RefusesARowOfAnotherProtocolAndNamesTheKey) {
  const Outcome outcome = compare("table2", "--set rows.conv3.protocol.clip.stride=2");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--set rows.conv3.protocol.clip.stride: row 'conv3': "
                                     "protocol.clip.stride: 1 -> 2"));
}

}  // namespace
}  // namespace avbench::app
