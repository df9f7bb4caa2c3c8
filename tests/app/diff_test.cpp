// avbench diff on runs that differ in known places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/tiny_experiment.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Diff : public TinyExperiment {
 protected:
  void make(const std::string& results, const std::string& more = "") {
    const Outcome outcome = run("compare " + configure(results).string() + " --row SimCLR" + more);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  std::string folder(const std::string& results) const {
    return (folder_ / results / "tiny/SimCLR-s0").string();
  }
  json diff(const std::string& a, const std::string& b) {
    const Outcome outcome = run("diff --json " + folder(a) + " " + folder(b) + "/");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out);
  }
};

TEST_F(Diff, FindsNothingBetweenRepeatedRunsAndTheStepWhereOneWasChanged) {
  make("a");
  make("b");
  json same = diff("a", "b");
  EXPECT_EQ(same["protocol"], json::array());
  EXPECT_EQ(same["settings"], json::array());
  ASSERT_EQ(same["stages"].size(), 2u);
  for (const json& stage : same["stages"]) {
    EXPECT_EQ(stage["lines_a"], 15);  // 12 steps, 3 epochs
    EXPECT_EQ(stage["lines_b"], 15);
    EXPECT_EQ(stage["first_difference"], json());
  }
  EXPECT_THAT(run("diff " + folder("a") + " " + folder("b")).out,
              AllOf(HasSubstr("protocol: the same, " + same["protocol_a"].get<std::string>()),
                    HasSubstr("pretrain: the same in all 15 lines")));

  const fs::path metrics = fs::path(folder("b")) / "metrics.jsonl";
  std::istringstream lines(io::read_file(metrics));
  std::ofstream changed(metrics);
  json before;
  for (std::string line; std::getline(lines, line);) {
    json entry = json::parse(line);
    if (entry.value("step", 0) == 7) {
      before = entry;
      entry["parts"]["accuracy"] = 0.125;
      entry["lr"] = 3;
    }
    changed << entry.dump() << "\n";
  }
  changed.close();
  const json first = diff("a", "b")["stages"][1]["first_difference"];
  EXPECT_EQ(first["place"], "step 7");
  EXPECT_EQ(first["metric"], "lr");  // before parts in the order of names
  EXPECT_EQ(first["a"], before["lr"]);
  EXPECT_EQ(first["b"], 3);
}

TEST_F(Diff, NamesTheKeysOfTheProtocolAndOfTheRow) {
  make("a");
  make("b",
       " --set protocol.finetune.dropout=0.5 --set rows.SimCLR.params.temperature=0.25"
       " --set protocol.finetune.epochs=2");
  const json parted = diff("a", "b");
  EXPECT_NE(parted["protocol_a"], parted["protocol_b"]);
  EXPECT_THAT(parted["protocol"], ElementsAre("settings.finetune.dropout: 0.7 -> 0.5",
                                              "settings.finetune.epochs: 3 -> 2"));
  EXPECT_THAT(parted["settings"], ElementsAre("pretrain.params.temperature: 0.1 -> 0.25"));
  EXPECT_EQ(parted["stages"][0]["first_difference"]["place"], "step 0");
  EXPECT_EQ(parted["stages"][0]["first_difference"]["metric"], "loss");
  EXPECT_EQ(parted["stages"][1]["lines_b"], 10);
}

TEST_F(Diff, SaysThatOnlyOneRunWasPretrained) {
  make("a");
  ASSERT_EQ(run("compare " + configure("a").string() + " --row Baseline-R").exit_code, 0);
  const Outcome outcome =
      run("diff " + folder("a") + " " + (folder_ / "a/tiny/Baseline-R-s0").string());
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("  pretrain: only in A\n"), HasSubstr("pretrain: only in A"),
                    testing::Not(HasSubstr("null -> "))));
}

TEST_F(Diff, WantsTheFoldersOfRuns) {
  const Outcome outcome = run("diff " + folder_.path().string() + " /nowhere");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("there is no run.json"), HasSubstr("<row>-s<seed>")));
}

}  // namespace
}  // namespace avbench::app
