// What validation decides in `compare`, and what `compare --validation` leaves to the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "app/tiny_experiment.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Compare = TinyExperiment;

// The same training and validation files with two different test splits.
TEST_F(Compare, TheChoiceOfTheCheckpointNeverSeesTheTestSplit) {
  std::string chosen[2];
  for (int half : {0, 1}) {
    const fs::path manifest = folder_ / ("half" + std::to_string(half) + ".csv");
    std::ofstream stream(manifest);
    stream << "path,label,split\n";
    int number = 0;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(data())) {
      if (entry.path().extension() == ".mp4") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const fs::path name = fs::relative(file, data());
      const std::string split = *name.begin();
      if (split == "test" && number++ % 2 != half) continue;
      stream << file.string() << "," << std::next(name.begin())->string() << "," << split << "\n";
    }
    stream.close();
    const std::string results = "half" + std::to_string(half);
    const Outcome outcome =
        run("compare " + configure(results, manifest).string() + " --row Baseline-R");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const json finetuned = read_json(results + "/tiny/Baseline-R-s0/finetune.json");
    chosen[half] = finetuned["chosen_epoch"].dump() + " " + finetuned["validation"].dump();
    EXPECT_EQ(read_json(results + "/tiny/Baseline-R-s0/test.json")["videos"], 3);
  }
  EXPECT_EQ(chosen[0], chosen[1]);
  EXPECT_NE(read_json("half0/tiny/Baseline-R-s0/protocol.json")["hash"],
            read_json("half1/tiny/Baseline-R-s0/protocol.json")["hash"]);
}

TEST_F(Compare, AShareOfTheValidationFilesChooses) {
  const fs::path config = configure("results");
  const Outcome outcome = run("compare " + config.string() +
                              " --row Baseline-R --set protocol.data.validation_fraction=0.5");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(read_json("results/tiny/Baseline-R-s0/finetune.json")["labels_validation"], 4);
}

TEST_F(Compare, OfValidationTestsNothingAndTheTestFollowsFromThere) {
  const std::string config = configure("r").string();
  const Outcome plan = run("compare " + config + " --validation --dry-run --no-probe");
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, AllOf(HasSubstr("; finetune 12 steps\n"), Not(HasSubstr("; test "))));

  const Outcome outcome = run("compare " + config + " --validation --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json validation = read_json("r/tiny/validation.json");
  EXPECT_EQ(json::parse(outcome.out), validation);
  ASSERT_EQ(validation.size(), 3u);
  for (const json& row : validation) {
    const std::string folder = "r/tiny/" + row["row"].get<std::string>() + "-s0/";
    EXPECT_EQ(row["validation"], read_json(folder + "finetune.json")["validation"]);
    EXPECT_FALSE(row.contains("accuracy_mean"));
    for (const char* file : {"test.json", "predictions.csv", "summary.json"}) {
      EXPECT_FALSE(fs::exists(folder_ / (folder + file))) << folder << file;
    }
  }
  EXPECT_FALSE(fs::exists(folder_ / "r/tiny/table.json"));

  const fs::path weights = folder_ / "r/tiny/SimCLR-s0/checkpoints/best.safetensors";
  const auto written = fs::last_write_time(weights);
  const Outcome tested = run("compare " + config);
  ASSERT_EQ(tested.exit_code, 0) << tested.err;
  EXPECT_EQ(fs::last_write_time(weights), written);  // nothing is trained anew
  const json table = read_json("r/tiny/table.json");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(table[i].contains("accuracy_mean"));
    EXPECT_EQ(table[i]["validation"], validation[i]["validation"]);
  }
  const Outcome again = run("compare " + config + " --validation --json");
  EXPECT_EQ(again.out, outcome.out);
}

TEST_F(Compare, OfValidationCopiesTheSameRowsOfAnotherExperimentWithoutTheirTest) {
  const std::string config = configure("r").string();
  ASSERT_EQ(run("compare " + config).exit_code, 0);
  const Outcome outcome = run("compare " + config + " --validation --json");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string other = config + " --set name=other";
  const Outcome copied = run("compare " + other + " --validation --json");
  ASSERT_EQ(copied.exit_code, 0) << copied.err;
  EXPECT_THAT(copied.err, AllOf(HasSubstr("its results are copied"), Not(HasSubstr("finetune:"))));
  EXPECT_EQ(copied.out, outcome.out);
  EXPECT_FALSE(fs::exists(folder_ / "r/other/SimCLR-s0/test.json"));
  const Outcome done = run("compare " + other + " --validation");
  EXPECT_THAT(done.err, HasSubstr("SimCLR s0: already finished"));
  const Outcome planned = run("compare " + other + " --validation --dry-run --no-probe");
  EXPECT_THAT(planned.out, HasSubstr("SimCLR s0: finetuned\n"));
  ASSERT_EQ(run("compare " + other).exit_code, 0);
  EXPECT_EQ(read_json("r/other/SimCLR-s0/test.json")["accuracy"],
            read_json("r/tiny/SimCLR-s0/test.json")["accuracy"]);
}

}  // namespace
}  // namespace avbench::app
