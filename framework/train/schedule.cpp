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
  if (config_.name == "milestones") {
    const auto passed =
        std::count_if(config_.milestones.begin(), config_.milestones.end(),
                      [&](int64_t milestone) { return epoch >= static_cast<double>(milestone); });
    return std::pow(config_.gamma, passed);
  }
  if (config_.name == "plateau") return state_.scale;
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
  if (!state_.best || figure < *state_.best) {
    state_.best = figure;
    state_.without_improvement = 0;
  } else if (++state_.without_improvement > config_.patience) {
    state_.scale *= config_.gamma;
    state_.without_improvement = 0;
  }
}

}  // namespace avbench
