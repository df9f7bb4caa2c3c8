// timings.jsonl: what the phases of an epoch's steps took. Beside metrics.jsonl, which is the same
// for equal runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace avbench::train {

class TimingsLog {
 public:
  explicit TimingsLog(std::filesystem::path file) : file_(std::move(file)) {}

  // The phases of one step, by name.
  void add(const std::map<std::string, double>& seconds);

  // Appends the sums as one line. Nothing if there were no steps, as in a validation that is done
  // again after an interruption. `epoch`: how many are done.
  void write(int64_t epoch);

 private:
  std::filesystem::path file_;
  std::map<std::string, double> sums_;  // seconds
};

}  // namespace avbench::train
