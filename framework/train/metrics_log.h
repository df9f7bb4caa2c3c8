// metrics.jsonl: one JSON object a line, appended; a resumed run drops what its checkpoint lacks.
// The keys of its lines are spelled in metrics_log.cpp alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/json.h"

namespace avbench::train {

// What a step logs.
struct StepMetrics {
  int64_t step = 0;
  double epoch = 0;  // fractional
  double loss = 0;
  std::vector<std::pair<std::string, double>> parts;  // of the loss, by name
  double gradient_norm = 0;                           // before clipping
  double lr = 0;                                      // that the schedule gives
};

// What an epoch logs.
struct EpochMetrics {
  int64_t epochs_done = 0;
  double mean_loss = 0;
  std::optional<double> clipped_share;    // of all steps so far; none: nothing is clipped
  io::Json of_task = io::Json::object();  // of the validation, if there was one
};

class MetricsLog {
 public:
  // Keeps the first `keep_bytes` of an existing file, or, with a warning, the whole lines of a
  // shorter one, and appends from there.
  MetricsLog(const std::filesystem::path& file, uint64_t keep_bytes);

  void write(const StepMetrics& metrics);
  void write(const EpochMetrics& metrics);

  // Bytes that are on disk after a flush: what a checkpoint remembers.
  uint64_t flush();

 private:
  void write_line(const io::Json& line);

  std::filesystem::path file_;
  std::ofstream stream_;
};

// Where a line stands: "step 12", "end of epoch 3".
std::string place_of(const io::Json& line);

// The metrics that arise first, as JSON pointers in their order; the others have none.
std::vector<std::string> first_metrics();

}  // namespace avbench::train
