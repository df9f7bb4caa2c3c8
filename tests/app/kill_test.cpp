// A real SIGKILL at ten random moments: nothing but time is lost.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <regex>
#include <sstream>

#include "app/child_process.h"
#include "app/tiny_experiment.h"

namespace avbench::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kKills = 10;

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

// The newest checkpoint of the stage that would be continued.
int64_t last_checkpoint(const fs::path& results, const std::string& row) {
  const fs::path pretrain =
      fs::exists(results / "pretrain") ? pretrain_folder(results) : fs::path();
  if (pretrain.empty()) return 0;
  if (!fs::exists(pretrain / "summary.json")) return newest_step(pretrain / "checkpoints");
  return newest_step(results / "tiny" / (row + "-s0") / "checkpoints");
}

void expect_every_step_once(const fs::path& metrics) {
  std::istringstream lines(io::read_file(metrics));
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
            "--set",   "protocol.pretrain.epochs=40", "--set", "protocol.finetune.epochs=20",
            "--set",   "run.checkpoint_every=3"};
  }

  // What a run leaves and what does not depend on the clock.
  std::map<std::string, std::string> content(const std::string& results) const {
    const fs::path pretrain = pretrain_folder(folder_ / results);
    const fs::path run = folder_ / results / "tiny" / (std::string(GetParam()) + "-s0");
    std::map<std::string, std::string> content;
    content["pretrained"] = io::read_file(pretrain / "checkpoints/final.safetensors");
    for (const char* file : {"checkpoints/final.safetensors", "checkpoints/best.safetensors",
                             "predictions.csv", "predictions_clips.csv"}) {
      content[file] = io::read_file(run / file);
    }
    content["pretrain metrics"] = io::read_file(pretrain / "metrics.jsonl");
    content["metrics"] = io::read_file(run / "metrics.jsonl");
    json summary = json::parse(io::read_file(run / "summary.json"));
    for (const char* timed :
         {"seconds", "clips_per_second", "waiting_share", "peak_memory_bytes", "checksum"}) {
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
  ASSERT_FALSE(kill_after(whole, std::chrono::minutes(2))) << io::read_file(log);
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
    const std::string said = io::read_file(log);
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
  ASSERT_FALSE(kill_after(rest, std::chrono::minutes(2))) << io::read_file(log);
  expect_equal(results);
}

INSTANTIATE_TEST_SUITE_P(Rows, Kill, testing::Values("SimCLR", "AVCL"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace avbench::app
