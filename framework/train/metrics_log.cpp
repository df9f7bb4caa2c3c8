#include "train/metrics_log.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "io/atomic_file.h"

namespace avbench {
namespace {

void drop_partial_line(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  const std::string text = read_file(file);
  std::filesystem::resize_file(file, text.rfind('\n') + 1);  // npos + 1 is 0
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& file, uint64_t keep_bytes) : file_(file) {
  std::filesystem::create_directories(file.parent_path());
  const uint64_t bytes = std::filesystem::exists(file) ? std::filesystem::file_size(file) : 0;
  if (bytes > keep_bytes) std::filesystem::resize_file(file, keep_bytes);
  if (bytes < keep_bytes) {
    drop_partial_line(file);
    spdlog::warn("{} has {} bytes, the checkpoint knows {}: lines of earlier steps are missing",
                 file.string(), bytes, keep_bytes);
  }
  stream_.open(file, std::ios::app | std::ios::binary);
  if (!stream_) {
    throw std::runtime_error("cannot open " + file.string() + ": " + std::strerror(errno));
  }
}

void MetricsLog::write(const Json& line) { stream_ << line.dump() << '\n'; }

uint64_t MetricsLog::flush() {
  stream_.flush();
  if (!stream_) {
    throw std::runtime_error("cannot write " + file_.string() + ": " + std::strerror(errno));
  }
  return std::filesystem::file_size(file_);
}

}  // namespace avbench
