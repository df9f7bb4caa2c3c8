#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace avbench {

Schedule::Schedule(const ScheduleConfig& config, int64_t total_epochs)
    : config_(config), total_epochs_(static_cast<double>(total_epochs)) {}

double Schedule::scale(double epoch) const {
  if (epoch < config_.warmup_epochs) return epoch / config_.warmup_epochs;
  if (config_.name == "step") {
    const auto steps = std::floor(epoch / static_cast<double>(config_.step_epochs));
    return std::pow(config_.gamma, steps);
  }
  if (config_.name == "plateau") return plateau_scale_;
  if (config_.name == "cosine") {
    const double length = total_epochs_ - config_.warmup_epochs;
    const double done = length > 0 ? (epoch - config_.warmup_epochs) / length : 1;
    const double wave = 0.5 * (1 + std::cos(std::numbers::pi * std::min(done, 1.0)));
    return config_.final_scale + (1 - config_.final_scale) * wave;
  }
  return 1;
}

void Schedule::validated(double figure) {
  if (config_.name != "plateau") return;
  if (figure < best_) {
    best_ = figure;
    without_improvement_ = 0;
  } else if (++without_improvement_ > config_.patience) {
    plateau_scale_ *= config_.gamma;
    without_improvement_ = 0;
  }
}

Json Schedule::state() const {
  // JSON has no infinity: no best yet is null.
  return {{"scale", plateau_scale_},
          {"best", std::isinf(best_) ? Json() : Json(best_)},
          {"without_improvement", without_improvement_}};
}

void Schedule::restore(const Json& state) {
  plateau_scale_ = state.at("scale");
  best_ = state.at("best").is_null() ? std::numeric_limits<double>::infinity()
                                     : state.at("best").get<double>();
  without_improvement_ = state.at("without_improvement");
}

}  // namespace avbench
