// Learning-rate schedules: a factor on the configured rate.
#pragma once

#include <cstdint>
#include <limits>

#include "config/experiment.h"
#include "io/json.h"

namespace avbench {

class Schedule {
 public:
  Schedule(const ScheduleConfig& config, int64_t total_epochs);

  // The factor at a (fractional) epoch in [0, total_epochs).
  double scale(double epoch) const;

  // Plateau watches a figure that should fall, once a validation; the others ignore it.
  void validated(double figure);

  // What a resumed run needs beside the configuration.
  Json state() const;
  void restore(const Json& state);

 private:
  ScheduleConfig config_;
  double total_epochs_;
  double plateau_scale_ = 1;
  double best_ = std::numeric_limits<double>::infinity();
  int64_t without_improvement_ = 0;
};

}  // namespace avbench
