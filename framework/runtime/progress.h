// One line of progress on standard error: a bar on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace avbench::runtime {

class Progress {
 public:
  // `already_done` units of a resumed run do not count for the speed. `unit_clips`: clips a unit.
  Progress(std::string title, int64_t total, int64_t already_done = 0, double unit_clips = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done, std::optional<double> loss = std::nullopt,
              const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(int64_t done, std::optional<double> loss, const std::string& note) const;

  std::string title_;
  int64_t total_, first_;
  double unit_clips_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point start_, last_;
};

}  // namespace avbench::runtime
