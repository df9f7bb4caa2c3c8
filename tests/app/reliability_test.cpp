// Second processes, damaged files, full and read-only disks.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "app/child_process.h"
#include "app/tiny_experiment.h"
#include "io/sha256.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Reliability = TinyExperiment;

TEST_F(Reliability, ASecondProcessIsRefusedWithTheHoldersId) {
  const std::string config = configure("shared").string();
  const fs::path log = folder_ / "log";
  const pid_t holder =
      start({"compare", config, "--row", "SimCLR", "--set", "protocol.pretrain.epochs=100000"}, log,
            *shared_ / "cache");
  while (!fs::exists(folder_ / "shared/pretrain") ||
         !fs::exists(pretrain_folder(folder_ / "shared") / "metrics.jsonl")) {
    ASSERT_EQ(waitpid(holder, nullptr, WNOHANG), 0) << io::read_file(log);
  }
  const std::string again =
      "compare " + config + " --row SimCLR --set protocol.pretrain.epochs=100000";
  const fs::path pretraining = pretrain_folder(folder_ / "shared");
  const Outcome second = run(again);
  const Outcome other = run(again + " --set name=other");
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, HasSubstr("SimCLR-s0 is in use by process " + std::to_string(holder)));
  // Another experiment that needs the same pretraining.
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err,
              HasSubstr(pretraining.string() + " is in use by process " + std::to_string(holder)));
}

TEST_F(Reliability, DamagedResultsAreMadeAgainAndSaid) {
  const std::string command = "compare " + configure("r").string() + " --row SimCLR";
  ASSERT_EQ(run(command).exit_code, 0);
  const fs::path row = folder_ / "r/tiny/SimCLR-s0", pretrain = pretrain_folder(folder_ / "r");
  const std::string predictions = io::read_file(row / "predictions_clips.csv"),
                    final = io::read_file(pretrain / "checkpoints/final.safetensors");
  for (const fs::path& file :
       {row / "summary.json", row / "test.json", row / "finetune.json",
        row / "checkpoints/best.safetensors", pretrain / "summary.json",
        pretrain / "checkpoints/final.safetensors", pretrain / "checkpoints/final.json"}) {
    fs::resize_file(file, fs::file_size(file) / 2);
    // Whatever comes after the damaged part is made again from it.
    for (const char* later : {"summary.json", "test.json"}) {
      if (file != row / later) fs::remove(row / later);
    }
    const Outcome again = run(command);
    ASSERT_EQ(again.exit_code, 0) << file << again.err;
    EXPECT_THAT(again.err, HasSubstr(file.filename().string())) << again.err;
    EXPECT_EQ(io::read_file(row / "predictions_clips.csv"), predictions) << file;
    EXPECT_EQ(io::read_file(pretrain / "checkpoints/final.safetensors"), final) << file;
  }
}

void replace(const fs::path& file, const std::string& from, const std::string& to) {
  io::write_file_atomically(file, replaced(io::read_file(file), from, to));
}

TEST_F(Reliability, FiguresThatWereChangedAreMadeAgainAndSaid) {
  const std::string command = "compare " + configure("r").string() + " --row Baseline-R";
  ASSERT_EQ(run(command).exit_code, 0);
  const fs::path row = folder_ / "r/tiny/Baseline-R-s0";
  struct Case {
    std::string file, metric;
    std::vector<std::string> later;  // made from the file, and removed so that it is read again
  };
  for (const auto& [file, metric, later] :
       {Case{"finetune.json", "validation", {"test.json", "summary.json"}},
        Case{"test.json", "accuracy", {"summary.json"}}, Case{"summary.json", "accuracy", {}}}) {
    const json before = json::parse(io::read_file(row / file));
    replace(row / file, "\"" + metric + "\": ", "\"" + metric + "\": 4");
    for (const std::string& name : later) fs::remove(row / name);
    const Outcome again = run(command);
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("damaged file " + (row / file).string()));
    EXPECT_EQ(json::parse(io::read_file(row / file)).at(metric), before.at(metric)) << file;
  }
  replace(row / "run.json", "\"row\"", "\"rov\"");
  for (const std::string& broken : {command, "test " + row.string()}) {
    const Outcome outcome = run(broken);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("damaged file " + (row / "run.json").string()));
  }
}

// As a finetuning leaves it that was repeated because `best` was damaged, and then killed.
TEST_F(Reliability, ABestOfAnotherEpochThanTheChosenIsNotTested) {
  const std::string command = "compare " + configure("r").string() + " --row Baseline-R";
  ASSERT_EQ(run(command).exit_code, 0);
  const fs::path row = folder_ / "r/tiny/Baseline-R-s0", best = row / "checkpoints/best.json";
  const std::string predictions = io::read_file(row / "predictions_clips.csv"),
                    whole = io::read_file(best);
  json record = json::parse(whole);
  record["state"]["epoch"] = 0;
  record["state_sha256"] = io::sha256_hex(record["state"].dump());
  io::write_file_atomically(best, record.dump());
  for (const char* later : {"summary.json", "test.json"}) fs::remove(row / later);
  const Outcome early = run("test " + row.string());
  EXPECT_EQ(early.exit_code, 2);
  EXPECT_THAT(early.err, HasSubstr("is of epoch 0"));
  const Outcome again = run(command);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(io::read_file(best), whole);
  EXPECT_EQ(io::read_file(row / "predictions_clips.csv"), predictions);
}

TEST_F(Reliability, ADamagedRunRecordIsNamedAndNothingIsOverwritten) {
  const std::string command = "compare " + configure("r").string() + " --row Baseline-R";
  ASSERT_EQ(run(command).exit_code, 0);
  const fs::path record = folder_ / "r/tiny/Baseline-R-s0/run.json";
  fs::resize_file(record, 10);
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(record.string()));
  EXPECT_EQ(fs::file_size(record), 10u);
}

// A file size limit of the process stands for the full disk: writes fail with an errno either way.
TEST_F(Reliability, ADiskThatFillsUpFailsTheRunAndLeavesItsCheckpoints) {
  const std::string command =
      "compare " + configure("full").string() + " --row SimCLR --set protocol.encoder.width=8";
  ASSERT_EQ(run(command + " --set run.checkpoint_every=1000 --dry-run").exit_code, 0);
  const Outcome full = run_avbench(
      command, "ulimit -f 512; trap '' XFSZ; AVBENCH_CACHE=" + (*shared_ / "cache").string());
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, HasSubstr("no checkpoint could be written at step"));
  EXPECT_THAT(full.err, HasSubstr("File too large"));
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "full")) {
    EXPECT_FALSE(entry.path().extension() == ".safetensors") << entry.path();
  }
  const Outcome rest = run(command);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
}

// A file system of its own for a test. Mounting needs rights that not every machine gives.
class Mount {
 public:
  Mount(fs::path point, const char* type, const fs::path& source, unsigned long flags,
        const char* options)
      : point_(std::move(point)) {
    fs::create_directories(point_);
    mounted_ = mount(source.c_str(), point_.c_str(), type, flags & ~MS_RDONLY, options) == 0;
    reason_ = mounted_ ? "" : std::strerror(errno);
    // A bind mount becomes read-only only when it is mounted again.
    if (mounted_ && (flags & MS_RDONLY) != 0) {
      mount(nullptr, point_.c_str(), nullptr, flags | MS_REMOUNT, nullptr);
    }
  }
  ~Mount() {
    if (mounted_) umount(point_.c_str());
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& reason() const { return reason_; }

 private:
  fs::path point_;
  bool mounted_;
  std::string reason_;
};

class Storage : public Reliability {
 protected:
  // A run that is killed when its pretraining has a checkpoint of `step` or later.
  void run_until_checkpoint(const std::string& config, int64_t step) const {
    const fs::path log = folder_ / "log";
    const pid_t process =
        start({"compare", config, "--row", "SimCLR", "--set", "protocol.pretrain.epochs=40"}, log,
              *shared_ / "cache");
    const fs::path results = folder_ / "small";
    while (!fs::exists(results / "pretrain") ||
           newest_step(pretrain_folder(results) / "checkpoints") < step) {
      ASSERT_EQ(waitpid(process, nullptr, WNOHANG), 0) << io::read_file(log);
    }
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }

  Outcome rest(const std::string& config) const {
    return run("compare " + config + " --row SimCLR --set protocol.pretrain.epochs=40");
  }

  void expect_whole(const Outcome& outcome) {
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    ASSERT_EQ(rest(configure("whole").string()).exit_code, 0);
    EXPECT_EQ(io::read_file(folder_ / "small/tiny/SimCLR-s0/predictions_clips.csv"),
              io::read_file(folder_ / "whole/tiny/SimCLR-s0/predictions_clips.csv"));
  }
};

TEST_F(Storage, AFullDiskKeepsTheCheckpointsAndTheRunContinuesOnceThereIsRoom) {
  const Mount disk(folder_ / "small", "tmpfs", "tmpfs", 0, "size=4m");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small file system: " << disk.reason();
  const std::string config = configure("small").string();
  run_until_checkpoint(config, 10);
  const fs::path ballast = folder_ / "small/ballast";
  std::ofstream(ballast) << std::string(8 << 20, 'x');  // as much as fits
  ASSERT_EQ(fs::space(folder_ / "small").available, 0u);
  for (const int attempt : {1, 2}) {
    const Outcome full = rest(config);
    EXPECT_EQ(full.exit_code, 1) << attempt;
    EXPECT_THAT(full.err, HasSubstr("No space left on device"));
    EXPECT_GE(newest_step(pretrain_folder(folder_ / "small") / "checkpoints"), 10);
  }
  // Room for small files, not for a checkpoint: the failure is in the midst of training.
  fs::resize_file(ballast, fs::file_size(ballast) - (40 << 10));
  const Outcome full = rest(config);
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, AllOf(HasSubstr("No space left on device"), HasSubstr("continues at step"),
                              HasSubstr("no checkpoint could be written at step"),
                              HasSubstr("What was written before is intact, the newest is")));
  fs::remove(ballast);
  const Outcome again = rest(config);
  EXPECT_THAT(again.err, HasSubstr("continues at step"));
  expect_whole(again);
}

TEST_F(Storage, AReadOnlyFolderIsNamedAndNothingIsLost) {
  const std::string config = configure("small").string();
  run_until_checkpoint(config, 10);
  {
    const fs::path results = folder_ / "small";
    const Mount locked(results, nullptr, results, MS_BIND | MS_RDONLY, nullptr);
    if (!locked.mounted()) GTEST_SKIP() << "cannot mount read-only: " << locked.reason();
    const Outcome refused = rest(config);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("SimCLR-s0"), HasSubstr("Read-only file system")));
  }
  const Outcome again = rest(config);
  EXPECT_THAT(again.err, HasSubstr("continues at step"));
  expect_whole(again);
}

}  // namespace
}  // namespace avbench::app
