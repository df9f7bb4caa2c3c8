#include "train/timings_log.h"

#include <fstream>
#include <stdexcept>

#include "io/json.h"

namespace avbench::train {

void TimingsLog::add(const std::map<std::string, double>& seconds) {
  for (const auto& [phase, time] : seconds) sums_[phase] += time;
}

void TimingsLog::write(int64_t epoch) {
  if (sums_.empty()) return;
  io::Json line = {{"epoch", epoch}};
  for (const auto& [phase, seconds] : sums_) line["seconds"][phase] = seconds;
  sums_.clear();
  std::ofstream out(file_, std::ios::app);
  out << line.dump() << "\n" << std::flush;
  if (!out) throw std::runtime_error(file_.string() + " cannot be written");
}

}  // namespace avbench::train
