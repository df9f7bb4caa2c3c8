// The main job as a user runs it, on a data set of a few small files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/tiny_experiment.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Compare = TinyExperiment;

// The share of lines of predictions.csv whose second and third field agree.
double accuracy_of(const fs::path& predictions) {
  std::istringstream lines(io::read_file(predictions));
  std::string line;
  std::getline(lines, line);
  int right = 0, all = 0;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string id, label, predicted;
    std::getline(fields, id, ',');
    std::getline(fields, label, ',');
    std::getline(fields, predicted, ',');
    right += label == predicted;
    ++all;
  }
  return static_cast<double>(right) / all;
}

TEST_F(Compare, RunsEveryRowAndLeavesTheDocumentedFiles) {
  const std::string config = configure("r").string();
  const Outcome outcome = run("compare " + config);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_LT(outcome.out.find("Baseline-R"), outcome.out.find("SimCLR"));
  EXPECT_LT(outcome.out.find("SimCLR"), outcome.out.find("AVCL"));
  const json table = read_json("r/tiny/table.json");
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0]["modality"], "video");
  EXPECT_EQ(table[1]["method"], "simclr");
  EXPECT_EQ(table[0]["chance"], 0.5);
  EXPECT_EQ(table[0]["protocol"], table[2]["protocol"]);
  EXPECT_EQ(table[0]["labels_validation"], 6);
  for (const char* row : {"Baseline-R", "SimCLR", "AVCL"}) {
    const std::string run_folder = std::string("r/tiny/") + row + "-s0/";
    for (const char* file :
         {"run.json", "config.yaml", "protocol.json", "metrics.jsonl", "excluded.csv",
          "checkpoints/best.safetensors", "checkpoints/final.json", "finetune.json",
          "predictions.csv", "predictions_clips.csv", "test.json", "summary.json"}) {
      EXPECT_TRUE(fs::exists(folder_ / (run_folder + file))) << run_folder << file;
    }
    EXPECT_EQ(read_json(run_folder + "summary.json")["accuracy"].get<double>(),
              accuracy_of(folder_ / (run_folder + "predictions.csv")));
  }
}

TEST_F(Compare, WritesWhatEachEpochsStepsTookAndWithWhat) {
  ASSERT_EQ(run("compare " + configure("r").string() + " --row SimCLR --row AVCL").exit_code, 0);
  std::vector<fs::path> stages = {folder_ / "r/tiny/SimCLR-s0"};
  for (const auto& entry : fs::directory_iterator(folder_ / "r/pretrain")) {
    stages.push_back(entry.path());
  }
  ASSERT_EQ(stages.size(), 3u);
  for (const fs::path& stage : stages) {
    std::istringstream lines(io::read_file(stage / "timings.jsonl"));
    int epoch = 0;
    for (std::string line; std::getline(lines, line);) {
      const json timings = json::parse(line);
      EXPECT_EQ(timings["epoch"], ++epoch);
      for (const char* phase :
           {"wait for data", "video tower", "audio tower", "loss", "backward", "optimizer"}) {
        EXPECT_GT(timings["seconds"].at(phase).get<double>(), 0) << phase;
      }
    }
    EXPECT_EQ(epoch, 3);
    const json environment = json::parse(io::read_file(stage / "environment.json"));
    EXPECT_EQ(environment["threads"], 1);
    EXPECT_FALSE(environment["kernels"].get<std::string>().empty());
  }
}

TEST_F(Compare, DiagnosesTheSpaceAndNamesTheTensorsOfItsMethods) {
  ASSERT_EQ(run("compare " + configure("r").string() + " --row SimCLR --row AVCL").exit_code, 0);
  const json diagnostics = read_json("r/tiny/SimCLR-s0/summary.json")["diagnostics"];
  for (const char* metric : {"video_deviation", "audio_deviation", "video_rank", "audio_rank",
                             "video_uniformity", "audio_uniformity", "alignment"}) {
    EXPECT_TRUE(diagnostics.contains(metric)) << metric;
  }
  EXPECT_GE(diagnostics["video_rank"], 1);
  EXPECT_LE(diagnostics["video_rank"], 6);  // validation files

  // Names of tensors are documented in docs/checkpoints.md.
  const auto names =
      tensors::load_tensors(folder_ / "r/tiny/AVCL-s0/checkpoints/final.safetensors");
  for (const char* name : {"towers.video.stem.conv.weight", "towers.audio.stem.bn.running_mean",
                           "amfm.squeeze.weight", "amfm.excite.bias", "head.fc1.weight",
                           "head.fc.bias", "head.feature_mean", "head.feature_std"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST_F(Compare, FindsEverythingDoneASecondTimeAndRefusesOtherSettings) {
  const std::string config = configure("r").string();
  ASSERT_EQ(run("compare " + config).exit_code, 0);
  const json table = read_json("r/tiny/table.json");
  const auto written = fs::last_write_time(folder_ / "r/tiny/SimCLR-s0/metrics.jsonl");
  const Outcome again = run("compare " + config + " --json");
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("[2/3] SimCLR s0: already finished"));
  EXPECT_EQ(json::parse(again.out), table);
  EXPECT_EQ(fs::last_write_time(folder_ / "r/tiny/SimCLR-s0/metrics.jsonl"), written);

  const Outcome other = run("compare " + config + " --set protocol.finetune.dropout=0.5");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, AllOf(HasSubstr("finetune.dropout: 0.7 -> 0.5"),
                               HasSubstr("not overwritten"), HasSubstr("another name")));
}

TEST_F(Compare, TheStagesAloneGiveTheSameNumbers) {
  const std::string alone = configure("alone").string();
  const Outcome early = run("finetune " + alone + " --row SimCLR");
  EXPECT_EQ(early.exit_code, 2);
  EXPECT_THAT(early.err, HasSubstr("run `avbench pretrain` first"));
  for (const char* stage : {"pretrain ", "finetune "}) {
    const Outcome outcome = run(stage + alone + " --row SimCLR");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  const Outcome tested = run("test " + (folder_ / "alone/tiny/SimCLR-s0").string());
  ASSERT_EQ(tested.exit_code, 0) << tested.err;
  ASSERT_EQ(run("compare " + configure("whole").string() + " --row SimCLR").exit_code, 0);
  EXPECT_EQ(io::read_file(folder_ / "alone/tiny/SimCLR-s0/predictions_clips.csv"),
            io::read_file(folder_ / "whole/tiny/SimCLR-s0/predictions_clips.csv"));
}

// Waits for `lines` lines in a file that another process is writing; false if it ended before.
bool wait_for_lines(pid_t process, const fs::path& folder, int lines) {
  while (waitpid(process, nullptr, WNOHANG) == 0) {
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
      if (entry.path().filename() != "metrics.jsonl") continue;
      std::ifstream stream(entry.path());
      std::string line;
      int count = 0;
      while (std::getline(stream, line)) ++count;
      if (count >= lines) return true;
    }
  }
  return false;
}

TEST_F(Compare, AnInterruptedRunSaysHowToContinueAndEndsAsAnUnbrokenOne) {
  const std::string more = " --row SimCLR --set protocol.pretrain.epochs=500";
  ASSERT_EQ(run("compare " + configure("whole").string() + more).exit_code, 0);

  const std::string config = configure("broken").string();
  const fs::path log = folder_ / "log";
  const std::string command =
      "exec " AVBENCH_PROGRAM " compare " + config + more + " 2>" + log.string() + " >/dev/null";
  const pid_t process = fork();
  if (process == 0) {
    setenv("AVBENCH_CACHE", (*shared_ / "cache").c_str(), 1);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  ASSERT_TRUE(wait_for_lines(process, folder_ / "broken/pretrain", 8)) << io::read_file(log);
  kill(process, SIGINT);
  int status = 0;
  waitpid(process, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_THAT(io::read_file(log), AllOf(HasSubstr("interrupted at step"),
                                        HasSubstr("Run the same command again to continue")));

  const Outcome rest = run("compare " + config + more);
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("continues at step"));
  EXPECT_EQ(io::read_file(folder_ / "broken/tiny/SimCLR-s0/predictions_clips.csv"),
            io::read_file(folder_ / "whole/tiny/SimCLR-s0/predictions_clips.csv"));
}

// Another sample's audio is other training, and the table says which row it is for.
TEST_F(Compare, AControlTrainsOnShuffledPairs) {
  const fs::path config = configure("results");
  std::ofstream(config, std::ios::app)
      << "  - {name: Shuffled, method: simclr, params: {hidden_dim: 8, projector_dim: 8},\n"
         "     control_of: SimCLR, protocol: {pretrain: {pairs: shuffled}}}\n"
         "varies: [protocol.pretrain.pairs]\n";
  const Outcome outcome = run("compare " + config.string() + " --row SimCLR --row Shuffled");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("control of SimCLR"));
  // Steps whose norm is above clip_norm, 1, counted in the log.
  for (const auto& entry : fs::directory_iterator(folder_ / "results/pretrain")) {
    std::istringstream lines(io::read_file(entry.path() / "metrics.jsonl"));
    double steps = 0, clipped = 0;
    for (std::string line; std::getline(lines, line);) {
      const json metrics = json::parse(line);
      if (!metrics.contains("gradient_norm")) continue;
      ++steps;
      clipped += metrics["gradient_norm"] > 1 ? 1 : 0;
    }
    ASSERT_GT(steps, 0);
    EXPECT_EQ(json::parse(io::read_file(entry.path() / "summary.json"))["clipped_share"],
              clipped / steps);
  }
  const auto first_losses = [&](const std::string& row) {
    const json run = read_json("results/tiny/" + row + "-s0/run.json");
    std::vector<double> losses;
    for (const auto& entry : fs::directory_iterator(folder_ / "results/pretrain")) {
      if (json::parse(io::read_file(entry.path() / "fingerprint.json")) != run["pretrain"])
        continue;
      std::istringstream lines(io::read_file(entry.path() / "metrics.jsonl"));
      std::string line;
      for (int i = 0; i < 2 && std::getline(lines, line); ++i) {
        losses.push_back(json::parse(line)["loss"]);
      }
    }
    return losses;
  };
  const auto own = first_losses("SimCLR"), shuffled = first_losses("Shuffled");
  ASSERT_EQ(own.size(), 2u);
  ASSERT_EQ(shuffled.size(), 2u);
  EXPECT_NE(own[0], shuffled[0]);
}

TEST_F(Compare, WarnsOfAWarmUpThatIsAsLongAsPretraining) {
  const auto warned = [&](const char* epochs) {
    const Outcome outcome =
        run("compare " + configure("results").string() +
            " --dry-run --no-probe --set training.schedule.warmup_epochs=" + epochs);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.err.find("row 'SimCLR': pretrain.schedule.warmup_epochs") != std::string::npos;
  };
  EXPECT_TRUE(warned("3"));
  EXPECT_FALSE(warned("2"));
}

TEST_F(Compare, ADryRunPrintsAConfigurationThatLoadsAndTrainsNothing) {
  const Outcome plan = run("compare " + configure("r").string() + " --dry-run");
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, AllOf(HasSubstr("SimCLR s0: pretrain 12 steps; finetune 12 steps"),
                              HasSubstr("Baseline-R s0: finetune 12 steps; test 12 clips")));
  const size_t config = plan.out.find("\nname: \"tiny\"\n");
  ASSERT_NE(config, std::string::npos);
  EXPECT_LT(plan.out.find("SimCLR s0: pretrain"), config);
  io::write_file_atomically(folder_ / "again.yaml", std::string_view(plan.out).substr(config));
  const Outcome again =
      run("compare " + (folder_ / "again.yaml").string() + " --dry-run --no-probe");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out.substr(again.out.find("\nname: \"tiny\"\n")), plan.out.substr(config));
  EXPECT_FALSE(fs::exists(folder_ / "r"));
}

TEST_F(Compare, AFailingRowIsNamedAndDoesNotStopTheOthers) {
  const Outcome outcome = run("compare " + configure("r").string() +
                              // Each step multiplies the weights by -999, whatever the loss.
                              " --set rows.SimCLR.pretrain.optimizer.lr=1000"
                              " --set rows.SimCLR.pretrain.optimizer.weight_decay=1"
                              " --set rows.SimCLR.pretrain.optimizer.momentum=0"
                              " --set protocol.pretrain.epochs=10");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("1 of the runs failed"), HasSubstr("SimCLR"),
                                 HasSubstr("Last good checkpoint")));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Baseline-R"), Not(HasSubstr("SimCLR"))));
}

TEST_F(Compare, MistakesAreTheUsersAndNameTheRemedy) {
  const std::string config = configure("r").string();
  const Outcome key = run("compare " + config + " --set protocol.finetune.epoch=3");
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_THAT(key.err, HasSubstr("epochs"));
  const Outcome row = run("compare " + config + " --row SimCRL");
  EXPECT_EQ(row.exit_code, 2);
  EXPECT_THAT(row.err, HasSubstr("did you mean 'SimCLR'"));
  const Outcome seed = run("compare " + config + " --seed 7");
  EXPECT_EQ(seed.exit_code, 2);
  EXPECT_THAT(seed.err, HasSubstr("seed 7 is not one of the experiment's: 0"));
  const Outcome method = run("compare " + config + " --set rows.SimCLR.method=simlcr");
  EXPECT_EQ(method.exit_code, 2);
  EXPECT_THAT(method.err, HasSubstr("simclr"));
  const Outcome param = run("compare " + config + " --set rows.SimCLR.params.temprature=1");
  EXPECT_EQ(param.exit_code, 2);
  EXPECT_THAT(param.err, HasSubstr("temperature"));
  const Outcome all =
      run("compare " + config + " --set rows.SimCLR.params.temprature=1" +
          " --set rows.AVCL.params.lambda=-1" + " --set rows.AVCL.params.gate=none");
  EXPECT_EQ(all.exit_code, 2);
  EXPECT_THAT(all.err, AllOf(HasSubstr("row 'SimCLR': --set rows.SimCLR.params.temprature"),
                             HasSubstr("\nrow 'AVCL': --set rows.AVCL.params.lambda"),
                             HasSubstr("\nrow 'AVCL': --set rows.AVCL.params.gate")));
  const Outcome missing = run("compare nowhere.yaml");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("nowhere.yaml"));
}

TEST_F(Compare, TracesThePhasesOfARun) {
  const fs::path trace = folder_ / "trace.json";
  const Outcome outcome =
      run("compare " + configure("traced").string() + " --row SimCLR --trace " + trace.string());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::map<std::string, int> count;
  for (const json& event : json::parse(io::read_file(trace))) ++count[event.at("name")];
  const int steps = 2 * 3 * 16 / 4;  // pretraining and finetuning, 3 epochs of 16 files
  EXPECT_EQ(count["step"], steps);
  EXPECT_EQ(count["backward"], steps);
  EXPECT_EQ(count["stage"], 2);
  EXPECT_GE(count["read sample"], steps);
  EXPECT_GE(count["video tower"], steps);
}

}  // namespace
}  // namespace avbench::app
