#include "train/metrics_log.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "io/atomic_file.h"

namespace avbench::train {
namespace {

constexpr const char* kStep = "step";
constexpr const char* kEpoch = "epoch";
constexpr const char* kLoss = "loss";
constexpr const char* kParts = "parts";
constexpr const char* kGradientNorm = "gradient_norm";
constexpr const char* kLearningRate = "lr";
constexpr const char* kEpochDone = "epoch_done";
constexpr const char* kMeanLoss = "mean_loss";
constexpr const char* kClippedShare = "clipped_share";

void drop_partial_line(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  const std::string text = io::read_file(file);
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

void MetricsLog::write(const StepMetrics& metrics) {
  io::Json line = {{kStep, metrics.step}, {kEpoch, metrics.epoch}, {kLoss, metrics.loss}};
  for (const auto& [name, value] : metrics.parts) line[kParts][name] = value;
  line[kGradientNorm] = metrics.gradient_norm;
  line[kLearningRate] = metrics.lr;
  write_line(line);
}

void MetricsLog::write(const EpochMetrics& metrics) {
  io::Json line = {{kEpochDone, metrics.epochs_done}, {kMeanLoss, metrics.mean_loss}};
  if (metrics.clipped_share) line[kClippedShare] = *metrics.clipped_share;
  line.update(metrics.of_task);
  write_line(line);
}

void MetricsLog::write_line(const io::Json& line) { stream_ << line.dump() << '\n'; }

uint64_t MetricsLog::flush() {
  stream_.flush();
  if (!stream_) {
    throw std::runtime_error("cannot write " + file_.string() + ": " + std::strerror(errno));
  }
  return std::filesystem::file_size(file_);
}

std::string place_of(const io::Json& line) {
  if (line.contains(kStep)) return "step " + line[kStep].dump();
  return "end of epoch " + line.value(kEpochDone, io::Json()).dump();
}

std::vector<std::string> first_metrics() {
  std::vector<std::string> pointers;
  for (const char* key : {kStep, kEpochDone, kEpoch, kLoss}) {
    pointers.push_back(std::string("/") + key);
  }
  return pointers;
}

}  // namespace avbench::train
