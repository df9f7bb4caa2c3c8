// Learning-rate schedules: a factor on the configured rate.
#pragma once

#include <cstdint>
#include <optional>

#include "config/optimizer_config.h"
#include "io/fields.h"

namespace avbench::train {

// What a resumed run needs beside the configuration. Plateau changes it, the others do not.
struct ScheduleState {
  double scale = 1;
  std::optional<double> best;  // metric; none before the first validation
  int64_t without_improvement = 0;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<ScheduleState> auto& s) {
  v("scale", s.scale);
  v("best", s.best);
  v("without_improvement", s.without_improvement);
}

class Schedule {
 public:
  Schedule(const config::ScheduleConfig& config, int64_t total_epochs);

  // The factor at a (fractional) epoch in [0, total_epochs).
  double scale(double epoch) const;

  // Plateau watches a metric that should fall, once a validation; the others ignore it.
  void validated(double metric);

  const ScheduleState& state() const { return state_; }
  void restore(const ScheduleState& state) { state_ = state; }

 private:
  int64_t milestones_passed(double epoch) const;
  double cosine(double epoch) const;

  config::ScheduleConfig config_;
  double total_epochs_;
  ScheduleState state_;
};

}  // namespace avbench::train
