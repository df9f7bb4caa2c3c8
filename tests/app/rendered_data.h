// Synthetic data sets that test processes share: the first that needs one renders it.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "io/sha256.h"

namespace avbench::app {

// Held by one process, or object, at a time; others wait.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file)
      : descriptor_(::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX) != 0) {
      throw std::runtime_error("cannot lock " + file.string());
    }
  }
  ~FileLock() { ::close(descriptor_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

// The data set that `program dataset synth FOLDER options` makes, in a folder below `parent`. The
// folder's name says what made it, by the options and the program file's size and time: a program
// that was linked anew renders anew, and what an older one rendered under this name is removed.
// Tests read the data set and change nothing in it.
inline std::filesystem::path render_once(const std::filesystem::path& parent,
                                         const std::filesystem::path& program,
                                         const std::string& name, const std::string& options) {
  namespace fs = std::filesystem;
  const auto time = fs::last_write_time(program).time_since_epoch().count();
  const std::string maker =
      options + " " + std::to_string(fs::file_size(program)) + " " + std::to_string(time);
  const std::string prefix = name + "-";
  fs::path folder = parent / (prefix + io::sha256_hex(maker).substr(0, 16));
  if (fs::exists(folder)) return folder;

  fs::create_directories(parent);
  const FileLock lock(parent / ".lock");
  if (fs::exists(folder)) return folder;
  for (const auto& entry : fs::directory_iterator(parent)) {
    if (entry.path().filename().string().starts_with(prefix)) fs::remove_all(entry.path());
  }
  const fs::path unfinished = folder.string() + ".new";
  const std::string command = "'" + program.string() + "' dataset synth '" + unfinished.string() +
                              "' " + options + " >'" + (parent / "log").string() + "' 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  fs::rename(unfinished, folder);
  return folder;
}

// By the program under test, into the build tree.
inline std::filesystem::path rendered_data(const std::string& name, const std::string& options) {
  return render_once(AVBENCH_TEST_DATA, AVBENCH_PROGRAM, name, options);
}

// Short files of 32x32 pixels: 28 of them, and 8.
inline std::filesystem::path tiny_data() {
  return rendered_data("tiny",
                       "--classes 2 --train 16 --val 6 --test 6 --size 32x32 --seconds 1 --fps 8");
}
inline std::filesystem::path smallest_data() {
  return rendered_data("smallest",
                       "--classes 2 --train 4 --val 2 --test 2 --size 32x32 --seconds 1 --fps 8");
}

}  // namespace avbench::app
