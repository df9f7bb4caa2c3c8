// Optimiser and learning-rate schedule.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "config/section.h"

namespace avbench::config {

struct OptimizerConfig {
  enum class Name { kSgd, kAdamw, kLars };
  friend constexpr auto words(Name) {
    return std::array{Word{Name::kSgd, "sgd"}, Word{Name::kAdamw, "adamw"},
                      Word{Name::kLars, "lars"}};
  }

  Name name = Name::kSgd;
  double lr = 1e-3;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool nesterov = false;
  bool decay_norms_and_biases = true;
};
template <class V>
void fields(V& v, io::MaybeConst<OptimizerConfig> auto& c) {
  v("name", c.name, "optimiser");
  v("lr", c.lr, Range{0, 1000}, "learning rate");
  v("momentum", c.momentum, Range{0, 0.9999}, "of SGD and LARS; AdamW's betas are 0.9 and 0.999");
  v("weight_decay", c.weight_decay, Range{0, 10},
    "L2 for SGD, decoupled for AdamW; LARS: L2, not of biases and norms");
  v("nesterov", c.nesterov, "Nesterov momentum (SGD)");
  v("decay_norms_and_biases", c.decay_norms_and_biases,
    "SGD and AdamW: weight decay of what has one dimension too, biases and norms (LARS: never)");
}

struct ScheduleConfig {
  enum class Name { kConstant, kStep, kMilestones, kPlateau, kCosine };
  friend constexpr auto words(Name) {
    return std::array{Word{Name::kConstant, "constant"}, Word{Name::kStep, "step"},
                      Word{Name::kMilestones, "milestones"}, Word{Name::kPlateau, "plateau"},
                      Word{Name::kCosine, "cosine"}};
  }

  Name name = Name::kConstant;
  double warmup_epochs = 0;
  int64_t step_epochs = 30;
  std::vector<int64_t> milestones;
  double gamma = 0.1;
  int64_t patience = 50;
  double final_scale = 0;
};
template <class V>
void fields(V& v, io::MaybeConst<ScheduleConfig> auto& c) {
  v("name", c.name, "learning-rate schedule");
  v("warmup_epochs", c.warmup_epochs, Range{0, 10000}, "linear warm-up from zero");
  v("step_epochs", c.step_epochs, Range{1, 100000}, "step: epochs between two factors");
  v("milestones", c.milestones, Range{1, 100000},
    "milestones: epochs after each of which the rate is multiplied by gamma, ascending");
  v("gamma", c.gamma, Range{0, 1}, "step, milestones and plateau: the factor");
  v("patience", c.patience, Range{1, 100000}, "plateau: validations without improvement");
  v("final_scale", c.final_scale, Range{0, 1},
    "cosine: last learning rate as a share of the first");
}

// Of pretraining.
struct TrainingConfig {
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
};
template <class V>
void fields(V& v, io::MaybeConst<TrainingConfig> auto& c) {
  v.section("optimizer", c.optimizer);
  v.section("schedule", c.schedule);
}

}  // namespace avbench::config
