// A real SIGKILL at ten random moments: nothing but time is lost.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <regex>
#include <sstream>

#include "app/tiny_experiment.h"

namespace avbench {
namespace {

using Clock = std::chrono::steady_clock;
using testing::HasSubstr;

constexpr int kKills = 10;

pid_t start(const std::vector<std::string>& arguments, const fs::path& log, const fs::path& cache) {
  const pid_t process = fork();
  if (process != 0) return process;
  setenv("AVBENCH_CACHE", cache.c_str(), 1);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDOUT_FILENO);
  dup2(file, STDERR_FILENO);
  std::vector<char*> argv = {const_cast<char*>(AVBENCH_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(AVBENCH_PROGRAM, argv.data());
  _exit(127);
}

// Kills the process after `delay` unless it has ended before. Returns whether it was killed.
bool kill_after(pid_t process, std::chrono::milliseconds delay) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  pollfd ends{handle, POLLIN, 0};
  const bool alive = poll(&ends, 1, static_cast<int>(delay.count())) == 0;
  close(handle);
  if (alive) kill(process, SIGKILL);
  int status = 0;
  waitpid(process, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status);
}

fs::path pretrain_folder(const fs::path& results) {
  for (const auto& entry : fs::directory_iterator(results / "pretrain")) return entry.path();
  return {};
}

int64_t newest_step(const fs::path& checkpoints) {
  int64_t newest = 0;
  if (!fs::exists(checkpoints)) return 0;
  for (const auto& entry : fs::directory_iterator(checkpoints)) {
    const std::string stem = entry.path().stem().string();
    if (entry.path().extension() == ".json" && stem.starts_with("step-")) {
      newest = std::max<int64_t>(newest, std::stoll(stem.substr(5)));
    }
  }
  return newest;
}

// Of the stage that would be continued.
int64_t last_checkpoint(const fs::path& results, const std::string& row) {
  const fs::path pretrain =
      fs::exists(results / "pretrain") ? pretrain_folder(results) : fs::path();
  if (pretrain.empty()) return 0;
  if (!fs::exists(pretrain / "summary.json")) return newest_step(pretrain / "checkpoints");
  return newest_step(results / "tiny" / (row + "-s0") / "checkpoints");
}

void expect_every_step_once(const fs::path& metrics) {
  std::istringstream lines(read_file(metrics));
  std::string line;
  int64_t next = 0;
  while (std::getline(lines, line)) {
    const json entry = json::parse(line);
    if (!entry.contains("step")) continue;
    ASSERT_EQ(entry.at("step"), next) << metrics;
    ++next;
  }
  EXPECT_GT(next, 0);
}

class Kill : public TinyExperiment, public testing::WithParamInterface<const char*> {
 protected:
  std::vector<std::string> command(const std::string& results) {
    return {"compare", configure(results).string(),   "--row", GetParam(),
            "--set",   "protocol.pretrain.epochs=80", "--set", "protocol.finetune.epochs=40",
            "--set",   "run.checkpoint_every=3"};
  }

  // What a run leaves and what does not depend on the clock.
  std::map<std::string, std::string> content(const std::string& results) const {
    const fs::path pretrain = pretrain_folder(folder_ / results);
    const fs::path run = folder_ / results / "tiny" / (std::string(GetParam()) + "-s0");
    std::map<std::string, std::string> content;
    content["pretrained"] = read_file(pretrain / "checkpoints/final.safetensors");
    for (const char* file : {"checkpoints/final.safetensors", "checkpoints/best.safetensors",
                             "predictions.csv", "predictions_clips.csv"}) {
      content[file] = read_file(run / file);
    }
    content["pretrain metrics"] = read_file(pretrain / "metrics.jsonl");
    content["metrics"] = read_file(run / "metrics.jsonl");
    json summary = json::parse(read_file(run / "summary.json"));
    for (const char* timed : {"seconds", "clips_per_second", "peak_memory_bytes"}) {
      summary.erase(timed);
    }
    content["summary"] = summary.dump(1);
    expect_every_step_once(pretrain / "metrics.jsonl");
    expect_every_step_once(run / "metrics.jsonl");
    return content;
  }

  void expect_equal(const std::string& results) const {
    const auto whole = content("whole"), broken = content(results);
    for (const auto& [name, text] : whole) EXPECT_TRUE(broken.at(name) == text) << name;
  }
};

TEST_P(Kill, AtTenRandomMomentsLosesNothingButTime) {
  const fs::path cache = *shared_ / "cache", log = folder_ / "log";
  const auto begin = Clock::now();
  const pid_t whole = start(command("whole"), log, cache);
  ASSERT_FALSE(kill_after(whole, std::chrono::minutes(2))) << read_file(log);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();

  // A quarter of the unbroken run each on average, starting included, so that ten kills reach all
  // stages, and begin again when a run got through.
  std::mt19937 random(20);
  std::uniform_real_distribution<double> share(0.05, 0.5);
  int kills = 0, continued = 0;
  std::string results = "broken0";
  for (int attempt = 0; kills < kKills; ++attempt) {
    const int64_t newest = last_checkpoint(folder_ / results, GetParam());
    const pid_t process = start(command(results), log, cache);
    const bool killed = kill_after(
        process, std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds * share(random))));
    kills += killed;
    std::smatch match;
    const std::string said = read_file(log);
    if (std::regex_search(said, match, std::regex("continues at step ([0-9]+)"))) {
      ++continued;
      EXPECT_GE(std::stoll(match[1]), newest) << said;
    }
    if (killed) continue;
    expect_equal(results);
    results = "broken" + std::to_string(attempt + 1);
  }
  EXPECT_GT(continued, 2);  // kills within training, not only while starting
  const pid_t rest = start(command(results), log, cache);
  ASSERT_FALSE(kill_after(rest, std::chrono::minutes(2))) << read_file(log);
  expect_equal(results);
}

INSTANTIATE_TEST_SUITE_P(Rows, Kill, testing::Values("SimCLR", "AVCL"),
                         [](const auto& info) { return std::string(info.param); });

using Reliability = TinyExperiment;

TEST_F(Reliability, ASecondProcessIsRefusedWithTheHoldersId) {
  const std::string config = configure("shared").string();
  const fs::path log = folder_ / "log";
  const pid_t holder =
      start({"compare", config, "--row", "SimCLR", "--set", "protocol.pretrain.epochs=100000"}, log,
            *shared_ / "cache");
  while (!fs::exists(folder_ / "shared/pretrain") ||
         !fs::exists(pretrain_folder(folder_ / "shared") / "metrics.jsonl")) {
    ASSERT_EQ(waitpid(holder, nullptr, WNOHANG), 0) << read_file(log);
  }
  const Outcome second =
      run("compare " + config + " --row SimCLR --set protocol.pretrain.epochs=100000");
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, HasSubstr("is in use by process " + std::to_string(holder)));
}

TEST_F(Reliability, DamagedResultsAreMadeAgainAndSaid) {
  const std::string command = "compare " + configure("r").string() + " --row SimCLR";
  ASSERT_EQ(run(command).exit_code, 0);
  const fs::path row = folder_ / "r/tiny/SimCLR-s0", pretrain = pretrain_folder(folder_ / "r");
  const std::string predictions = read_file(row / "predictions_clips.csv"),
                    final = read_file(pretrain / "checkpoints/final.safetensors");
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
    EXPECT_EQ(read_file(row / "predictions_clips.csv"), predictions) << file;
    EXPECT_EQ(read_file(pretrain / "checkpoints/final.safetensors"), final) << file;
  }
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

}  // namespace
}  // namespace avbench
