// The program in the background, and what it has written so far.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace avbench::app {

namespace fs = std::filesystem;

// Messages go to `log`.
inline pid_t start(const std::vector<std::string>& arguments, const fs::path& log,
                   const fs::path& cache) {
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

// For results with a single pretraining.
inline fs::path pretrain_folder(const fs::path& results) {
  for (const auto& entry : fs::directory_iterator(results / "pretrain")) return entry.path();
  return {};
}

inline int64_t newest_step(const fs::path& checkpoints) {
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

}  // namespace avbench::app
