// Every method of the repository in one comparison, each as one line that extends a preset.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/small_methods.h"

namespace avbench::app {
namespace {

using testing::HasSubstr;

TEST_F(AllMethods, LoadWithBothPresets) {
  const Outcome plan =
      run("compare " + configure("r", {"paper", "official"}).string() + " --dry-run");
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  for (const std::string& method : kMethods) {
    for (const char* preset : {" paper", " official"}) {
      EXPECT_THAT(plan.out, HasSubstr(method + preset + " s0: ")) << plan.out;
    }
  }
}

TEST_F(AllMethods, OfAvclTheReadingThatLearnsIsAPresetBesideThePrintedOne) {
  const fs::path config = configure("r", {"paper"});
  std::ofstream(config, std::ios::app)
      << "  - {name: towers, extends: " AVBENCH_SOURCE_DIR "/configs/methods/avcl_towers.yaml}\n";
  const Outcome plan =
      run("compare " + config.string() + " --dry-run --no-probe --row towers --row 'avcl paper'");
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("towers s0: pretrain"));
  const size_t row = plan.out.find("name: \"towers\"");
  ASSERT_NE(row, std::string::npos);
  EXPECT_THAT(plan.out.substr(row, 200), HasSubstr("alignment: \"towers\""));
}

// Each is compared, then loses its last steps and makes them again.
TEST_F(AllMethods, RunUnderOneProtocolAndEndWithTheSameBitsWhenContinued) {
  const std::string config = configure("r", {"official"}).string();
  const Outcome outcome = run("compare " + config);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json table = read_json("r/tiny/table.json");
  ASSERT_EQ(table.size(), kMethods.size());
  for (size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(table[i]["method"], kMethods[i]);
    EXPECT_EQ(table[i]["protocol"], table[0]["protocol"]);
    EXPECT_TRUE(table[i]["accuracy_mean"].is_number());
  }
  std::map<fs::path, std::string> weights;
  for (const auto& entry : fs::directory_iterator(folder_ / "r/pretrain")) {
    const fs::path final = entry.path() / "checkpoints/final.safetensors";
    if (!fs::exists(final)) continue;
    weights[final] = io::read_file(final);
    fs::remove(final);
    fs::remove(entry.path() / "checkpoints/final.json");
    fs::remove(entry.path() / "summary.json");
  }
  EXPECT_EQ(weights.size(), kMethods.size());
  fs::remove_all(folder_ / "r/tiny");  // finished rows would not be looked at again
  const Outcome rest = run("pretrain " + config);
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("continues at step 10 of 12"));
  for (const auto& [file, bytes] : weights) EXPECT_TRUE(io::read_file(file) == bytes) << file;
}

TEST_F(AllMethods, RefuseWhatDoesNotFitTheBatch) {
  const std::string config = configure("r", {"paper"}).string();
  const Outcome queue =
      run("compare " + config + " --row 'moco paper' --set 'rows.moco paper.params.queue_size=3'");
  EXPECT_EQ(queue.exit_code, 2) << queue.err;
  EXPECT_THAT(queue.err, HasSubstr("got queue_size 3 for a batch of 4"));
  // With crops of 20 the last feature map has more than one value, so the heads are reached.
  const Outcome one = run("compare " + config +
                          " --row 'byol paper' --set protocol.pretrain.batch_size=1"
                          " --set protocol.clip.crop=20 --set protocol.spectrogram.crop=20");
  EXPECT_EQ(one.exit_code, 2) << one.err;
  EXPECT_THAT(one.err, HasSubstr("got a batch of 1"));
}

}  // namespace
}  // namespace avbench::app
