// What a checkpoint remembers of the training loop, beside tensors.
#pragma once

#include <cstdint>
#include <optional>

#include "io/json_fields.h"
#include "train/schedule.h"

namespace avbench::train {

// The state in a step checkpoint and in "final".
struct LoopState {
  int64_t step = 0;
  int64_t epochs_ended = 0;  // validated and logged
  double loss_sum = 0;       // of the running epoch
  int64_t clipped = 0;       // steps whose gradient was clipped, of all
  ScheduleState schedule;
  uint64_t metrics_bytes = 0;  // of metrics.jsonl
  double seconds = 0;          // of the stage up to here, over all its interruptions
  double train_seconds = 0;    // of steps, data included; validation and checkpoints excluded
  double waiting_seconds = 0;  // of those, spent waiting for data
  int64_t peak_memory_bytes = 0;
  std::optional<double> best_score;
  int64_t best_epoch = -1;
  io::Json last_report = io::Json::object();  // metrics of the last validation
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<LoopState> auto& s) {
  v("step", s.step);
  v("epochs_ended", s.epochs_ended);
  v("loss_sum", s.loss_sum);
  v("clipped", s.clipped);
  v("schedule", s.schedule);
  v("metrics_bytes", s.metrics_bytes);
  v("seconds", s.seconds);
  v("train_seconds", s.train_seconds);
  v("waiting_seconds", s.waiting_seconds);
  v("peak_memory_bytes", s.peak_memory_bytes);
  v("best_score", s.best_score);
  v("best_epoch", s.best_epoch);
  v("last_report", s.last_report);
}

}  // namespace avbench::train
