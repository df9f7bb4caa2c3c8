// A plugin that loads and then fails: the message names the row, the plugin, its file and the
// function; exit code 2 where the plugin says that the user is mistaken, else 1.
#include <gmock/gmock.h>

#include "app/tiny_experiment.h"
#include "io/safetensors.h"

namespace avbench::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class BadPlugins : public TinyExperiment {
 protected:
  struct Case {
    std::string fault, reason;
  };

  Outcome compare(const std::string& fault, const std::string& more = "") {
    const fs::path config = configure(fault);
    std::ofstream(config, std::ios::app)
        << "  - {name: Bad row, method: misbehaving, params: {fault: " << fault << "}}\n";
    return run_avbench("compare " + config.string() + " " + more,
                       "AVBENCH_CACHE=" + (*shared_ / "cache").string() + " " + kPath);
  }

  static std::string origin(const std::string& function) {
    return "plugin 'misbehaving' (" + kFolder + "/misbehaving.so): " + function + "()";
  }

  static inline const std::string kFolder = std::string(BAD_PLUGINS) + "/misbehaving";
  static inline const std::string kPath = "AVBENCH_PLUGIN_PATH=" + kFolder;
};

TEST_F(BadPlugins, AFailureBeforeTrainingEndsTheCommandBeforeAnythingRuns) {
  for (const auto& [fault, reason] :
       {Case{"views_throw", origin("views") + " failed: no view fits"},
        Case{"create_checks", origin("create") + " failed: got 3 heads, expected 2"},
        Case{"create_throws",
             origin("create") + " failed: it threw something that is no std::exception"},
        Case{"create_gives_null", origin("create") + " failed: it returned no method"},
        Case{"loss_throws", origin("loss") + " failed: the loss fell off the edge"},
        Case{"loss_gives_nothing", origin("loss") + " failed: got no total, expected a scalar"},
        Case{"pretrain_groups_throw", origin("param_groups") + " failed: no group is right"},
        Case{"loss_gives_rows",
             origin("loss") + " failed: got a total of shape [4], expected a scalar"}}) {
    const Outcome outcome = compare(fault);
    EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("row 'Bad row': " + reason));
    EXPECT_THAT(outcome.err, Not(HasSubstr("frame #")));  // LibTorch's backtrace
    EXPECT_FALSE(fs::exists(folder_ / fault)) << "something was written";
  }
}

TEST_F(BadPlugins, AMistakeThatAPluginNamesIsTheUsers) {
  const Outcome outcome = compare("create_refuses");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("row 'Bad row': " + origin("create") +
                                     ": train_size is too small for the queue"));
}

TEST_F(BadPlugins, AFailureWithinTrainingEndsItsRowAndNoOther) {
  const Outcome outcome = compare("loss_throws_later", "--row 'Bad row' --row Baseline-R");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.err,
              HasSubstr("Bad row s0 pretrain: " + origin("loss") + " failed: no step fits"));
  EXPECT_TRUE(fs::exists(folder_ / "loss_throws_later/tiny/Baseline-R-s0/summary.json"))
      << outcome.err;
}

TEST_F(BadPlugins, AFailureInAHookOfATrainingStageIsNamed) {
  for (const auto& [fault, reason] :
       {Case{"after_step_throws",
             "pretrain: " + origin("after_step") + " failed: the queue ran over"},
        Case{"finetune_groups_throw", origin("param_groups") + " failed: no group is right"},
        Case{"fuse_throws", origin("fuse") + " failed: the modalities do not get along"},
        Case{"fuse_gives_nothing", origin("fuse") + " failed: it returned nothing"},
        Case{"fuse_gives_sum", origin("fuse") + " failed: got [2], expected [2, F]"}}) {
    const Outcome outcome = compare(fault, "--row 'Bad row'");
    EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("Bad row s0"));
    EXPECT_THAT(outcome.err, HasSubstr(reason));
  }
}

TEST_F(BadPlugins, AFailureInABenchmarkOfStepsIsNamed) {
  const std::string folder = std::string(BAD_PLUGINS) + "/misbehaving_steps";
  const Outcome outcome =
      run_avbench("bench step misbehaving --width 2 --batch 2 --frames 2 --size 16",
                  "AVBENCH_PLUGIN_PATH=" + folder);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("plugin 'misbehaving' (" + folder +
                                     "/misbehaving_steps.so): after_step() failed: the queue"));
}

TEST_F(BadPlugins, ThePureLossOnAFileIsNamedToo) {
  const fs::path file = folder_ / "embeddings.safetensors";
  const float values[6] = {1, 2, 3, 4, 5, 6};
  io::write_safetensors(file,
                        {{"video", io::Dtype::kF32, {2, 3}, std::as_bytes(std::span(values))}});
  for (const auto& [fault, reason] : {Case{"loss_throws", "the loss fell off the edge"},
                                      Case{"loss_gives_nothing", "got no total"}}) {
    const Outcome outcome =
        run_avbench("loss misbehaving " + file.string() + " --set fault=" + fault, kPath);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.err,
                HasSubstr(file.string() + ": " + origin("loss") + " failed: " + reason));
  }
}

}  // namespace
}  // namespace avbench::app
