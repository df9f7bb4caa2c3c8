// Ctrl-C in commands that work for long without training: a real signal once they show progress.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <vector>

#include "app/run_avbench.h"
#include "data/fixtures.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The program with a terminal for its messages, so that it shows progress from the first file on.
class OnTerminal {
 public:
  explicit OnTerminal(const std::vector<std::string>& arguments) {
    terminal_ = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal_ < 0 || grantpt(terminal_) != 0 || unlockpt(terminal_) != 0) return;
    const int messages = open(ptsname(terminal_), O_RDWR | O_NOCTTY);
    process_ = fork();
    if (process_ == 0) run(arguments, messages);
    close(messages);
  }
  ~OnTerminal() { close(terminal_); }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  // Sends SIGINT when `text` was written; returns the exit code, -1 if it was killed.
  int interrupt_at(const std::string& text) {
    while (said_.find(text) == std::string::npos) {
      if (!read_more()) break;
    }
    EXPECT_THAT(said_, HasSubstr(text));
    kill(process_, SIGINT);
    while (read_more()) {
    }
    int status = 0;
    waitpid(process_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  const std::string& said() const { return said_; }

 private:
  [[noreturn]] static void run(const std::vector<std::string>& arguments, int messages) {
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    dup2(messages, STDERR_FILENO);
    std::vector<char*> argv = {const_cast<char*>(AVBENCH_PROGRAM)};
    for (const std::string& text : arguments) argv.push_back(const_cast<char*>(text.c_str()));
    argv.push_back(nullptr);
    execv(AVBENCH_PROGRAM, argv.data());
    _exit(127);
  }

  // False when the program has ended.
  bool read_more() {
    char buffer[4096];
    const ssize_t got = read(terminal_, buffer, sizeof buffer);
    if (got > 0) said_.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }

  int terminal_ = -1;
  pid_t process_ = -1;
  std::string said_;
};

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder));
  }
  return files;
}

class Interrupt : public testing::Test {
 protected:
  // 80 names of one file, 10 seconds long: far more work than the time a signal takes.
  void write_files(const fs::path& class_folder) const {
    data::write_movie(class_folder / "0.mp4", {.frames = 120});
    for (int i = 1; i < 80; ++i) {
      fs::copy_file(class_folder / "0.mp4", class_folder / (std::to_string(i) + ".mp4"));
    }
  }
  fs::path cache() const { return folder_.source().parent_path() / "cache"; }
  data::DataFolder folder_;
};

TEST_F(Interrupt, OfDatasetIndexKeepsWhatWasFound) {
  write_files(folder_ / "train/bell");
  const std::string source = folder_.source().string();
  OnTerminal index({"dataset", "index", source, "--workers", "1"});
  EXPECT_EQ(index.interrupt_at("indexing ["), 130);
  EXPECT_THAT(index.said(), AllOf(HasSubstr("interrupted while indexing"),
                                  HasSubstr("run the same command again to continue")));
  EXPECT_THAT(files_below(cache()), Contains(EndsWith(".bin")));
  const Outcome again = run_avbench("dataset index " + source + " --json");
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(nlohmann::json::parse(again.out)["status"]["ok"], 80);
}

TEST_F(Interrupt, OfDatasetSynthLeavesWholeFilesAndIsContinued) {
  const std::string options =
      " --classes 2 --train 60 --val 2 --test 2 --size 32x32 --seconds 1 --fps 8";
  const fs::path broken = folder_ / "broken", whole = folder_ / "whole";
  ASSERT_EQ(run_avbench("dataset synth " + whole.string() + options).exit_code, 0);
  OnTerminal synth({"dataset", "synth", broken.string(), "--classes", "2", "--train", "60", "--val",
                    "2", "--test", "2", "--size", "32x32", "--seconds", "1", "--fps", "8"});
  EXPECT_EQ(synth.interrupt_at("rendered"), 130);
  EXPECT_THAT(synth.said(), HasSubstr("run the same command again to continue"));
  const auto left = files_below(broken);
  EXPECT_THAT(left, AllOf(Contains(EndsWith(".mp4")), Not(Contains("dataset.json")),
                          Not(Contains(EndsWith(".part"))), Not(Contains(EndsWith(".tmp")))));
  EXPECT_LT(left.size(), 64u);
  const auto expect_equal = [&](const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      if (file.starts_with('.')) continue;  // what was begun
      EXPECT_TRUE(io::read_file(broken / file) == io::read_file(whole / file)) << file;
    }
  };
  expect_equal(left);
  ASSERT_EQ(run_avbench("dataset synth " + broken.string() + options).exit_code, 0);
  expect_equal(files_below(whole));
}

TEST_F(Interrupt, OfBenchLoaderLeavesNoTemporaryFolder) {
  write_files(folder_ / "plain");
  const fs::path temporary = folder_ / "temporary";
  fs::create_directories(temporary);
  ::setenv("TMPDIR", temporary.c_str(), 1);
  OnTerminal bench({"bench", "loader", (folder_ / "plain").string(), "--set", "run.workers=1"});
  EXPECT_EQ(bench.interrupt_at("reading ["), 130);
  ::unsetenv("TMPDIR");
  EXPECT_THAT(bench.said(), HasSubstr("interrupted while reading"));
  EXPECT_TRUE(fs::is_empty(temporary));
  EXPECT_THAT(files_below(cache()), IsEmpty());
}

}  // namespace
}  // namespace avbench::app
