#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace avbench::train {

using Name = config::ScheduleConfig::Name;

Schedule::Schedule(const config::ScheduleConfig& config, int64_t total_epochs)
    : config_(config), total_epochs_(static_cast<double>(total_epochs)) {}

double Schedule::scale(double epoch) const {
  if (epoch < config_.warmup_epochs) return epoch / config_.warmup_epochs;
  switch (config_.name) {
    case Name::kConstant:
      return 1;
    case Name::kStep:
      return std::pow(config_.gamma, std::floor(epoch / static_cast<double>(config_.step_epochs)));
    case Name::kMilestones:
      return std::pow(config_.gamma, milestones_passed(epoch));
    case Name::kPlateau:
      return state_.scale;
    case Name::kCosine:
      return cosine(epoch);
  }
  throw std::logic_error("a schedule without a formula");
}

int64_t Schedule::milestones_passed(double epoch) const {
  return std::count_if(config_.milestones.begin(), config_.milestones.end(),
                       [&](int64_t milestone) { return epoch >= static_cast<double>(milestone); });
}

double Schedule::cosine(double epoch) const {
  const double length = total_epochs_ - config_.warmup_epochs;
  const double done = length > 0 ? (epoch - config_.warmup_epochs) / length : 1;
  const double wave = 0.5 * (1 + std::cos(std::numbers::pi * std::min(done, 1.0)));
  return config_.final_scale + (1 - config_.final_scale) * wave;
}

void Schedule::validated(double metric) {
  if (config_.name != Name::kPlateau) return;
  if (!state_.best || metric < *state_.best) {
    state_.best = metric;
    state_.without_improvement = 0;
  } else if (++state_.without_improvement > config_.patience) {
    state_.scale *= config_.gamma;
    state_.without_improvement = 0;
  }
}

}  // namespace avbench::train
