// metrics.jsonl: one JSON object a line, appended; a resumed run drops what its checkpoint lacks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "io/json.h"

namespace avbench {

class MetricsLog {
 public:
  // Keeps the first `keep_bytes` of an existing file, or, with a warning, the whole lines of a
  // shorter one, and appends from there.
  MetricsLog(const std::filesystem::path& file, uint64_t keep_bytes);

  void write(const Json& line);

  // Bytes that are on disk after a flush: what a checkpoint remembers.
  uint64_t flush();

 private:
  std::filesystem::path file_;
  std::ofstream stream_;
};

}  // namespace avbench
