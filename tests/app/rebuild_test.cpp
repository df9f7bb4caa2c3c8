// A plugin that was built anew is another method as far as results go.
#include <gmock/gmock.h>

#include "app/tiny_experiment.h"
#include "io/sha256.h"

namespace avbench::app {
namespace {

using testing::HasSubstr;
using testing::Not;

class Rebuilt : public TinyExperiment {
 protected:
  static fs::path installed() {
    return fs::path(AVBENCH_PROGRAM).parent_path().parent_path() / "lib/avbench/plugins/simclr.so";
  }

  // The same code in a file that differs: what follows the sections of a library is not read.
  fs::path rebuild() {
    fs::path library = folder_ / "plugins/simclr.so";
    fs::create_directories(library.parent_path());
    fs::copy_file(installed(), library);
    std::ofstream(library, std::ios::app) << "another build";
    return library;
  }

  Outcome compare(const fs::path& config, const std::string& more, bool with_rebuilt) {
    std::string environment = "AVBENCH_CACHE=" + (*shared_ / "cache").string();
    if (with_rebuilt) environment += " AVBENCH_PLUGIN_PATH=" + (folder_ / "plugins").string();
    return run_avbench("compare " + config.string() + " --row SimCLR " + more, environment);
  }

  int64_t pretrainings() const {
    const fs::directory_iterator all(folder_ / "results/pretrain");
    return std::distance(begin(all), end(all));
  }

  json row_of(const std::string& experiment) const {
    for (const json& row : read_json("results/" + experiment + "/table.json")) {
      if (row["row"] == "SimCLR") return row;
    }
    return nullptr;
  }
};

TEST_F(Rebuilt, PluginsTrainAgainAndTheOlderResultsStayBeside) {
  const fs::path config = configure("results");
  const Outcome before = compare(config, "", false);
  ASSERT_EQ(before.exit_code, 0) << before.err;
  const json first = read_json("results/tiny/SimCLR-s0/run.json");
  EXPECT_EQ(first["pretrain"]["plugin"], io::sha256_file(installed()));

  const fs::path library = rebuild();
  const Outcome after = compare(config, "", true);
  ASSERT_EQ(after.exit_code, 0) << after.err;
  const std::string aside =
      "results/tiny/SimCLR-s0.build-" + io::sha256_file(installed()).substr(0, 8);
  EXPECT_THAT(after.err, AllOf(HasSubstr("was built anew"), HasSubstr(aside)));
  EXPECT_EQ(read_json(aside + "/run.json"), first);
  EXPECT_TRUE(fs::exists(folder_ / aside / "predictions.csv"));
  const json second = read_json("results/tiny/SimCLR-s0/run.json");
  EXPECT_EQ(second["pretrain"]["plugin"], io::sha256_file(library));
  EXPECT_EQ(pretrainings(), 2);
  EXPECT_EQ(row_of("tiny")["stale_seeds"], 0);

  const Outcome again = compare(config, "", true);
  EXPECT_THAT(again.err, AllOf(HasSubstr("already finished"), Not(HasSubstr("built anew"))));
  EXPECT_EQ(pretrainings(), 2);
}

TEST_F(Rebuilt, PluginsDoNotTestOrEmbedWhatAnotherBuildMade) {
  const fs::path config = configure("results");
  ASSERT_EQ(compare(config, "", false).exit_code, 0);
  rebuild();
  const std::string run_folder = (folder_ / "results/tiny/SimCLR-s0").string();
  const std::string environment = "AVBENCH_CACHE=" + (*shared_ / "cache").string() +
                                  " AVBENCH_PLUGIN_PATH=" + (folder_ / "plugins").string();
  for (const std::string& command :
       {"test " + run_folder, "finetune " + run_folder,
        "embed " + run_folder + " --split val --out " + (folder_ / "x.safetensors").string()}) {
    const Outcome outcome = run_avbench(command, environment);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("was made by another build of the plugin"),
                                   HasSubstr("run.on_rebuild=keep")));
    EXPECT_TRUE(fs::exists(run_folder + "/summary.json"));
  }
  EXPECT_EQ(run_avbench("test " + run_folder + " --set run.on_rebuild=keep", environment).exit_code,
            0);
}

TEST_F(Rebuilt, PluginsKeepTheirOlderResultsIfAskedAndEveryTableSaysSo) {
  const fs::path config = configure("results");
  const std::string keep = "--set run.on_rebuild=keep";
  ASSERT_EQ(compare(config, keep, false).exit_code, 0);
  EXPECT_EQ(row_of("tiny")["stale_seeds"], 0);
  const json first = read_json("results/tiny/SimCLR-s0/run.json");

  rebuild();
  const Outcome kept = compare(config, keep, true);
  ASSERT_EQ(kept.exit_code, 0) << kept.err;
  EXPECT_THAT(kept.err, HasSubstr("made by another build of the plugin"));
  EXPECT_THAT(kept.out, HasSubstr("stale: made by another build of the plugin"));
  EXPECT_EQ(row_of("tiny")["stale_seeds"], 1);
  EXPECT_EQ(read_json("results/tiny/SimCLR-s0/run.json"), first);

  // Another experiment finds the older pretraining, too.
  const Outcome other =
      compare(config, keep + " --set name=other --set protocol.finetune.optimizer.lr=0.02", true);
  ASSERT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(row_of("other")["stale_seeds"], 1);
  EXPECT_EQ(pretrainings(), 1);
  EXPECT_THAT(compare(config, "--set name=third --dry-run --no-probe", true).out,
              HasSubstr("SimCLR s0: pretrain"));
}

}  // namespace
}  // namespace avbench::app
