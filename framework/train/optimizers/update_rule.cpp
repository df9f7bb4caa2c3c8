#include "train/optimizers/update_rule.h"

#include <stdexcept>
#include <string>

#include "io/error.h"

namespace avbench {
namespace {

struct Entry {
  OptimizerConfig::Name name;
  std::unique_ptr<UpdateRule> (*make)(const OptimizerConfig&);
};
constexpr Entry kRules[] = {{OptimizerConfig::Name::kSgd, make_sgd},
                            {OptimizerConfig::Name::kAdamw, make_adamw},
                            {OptimizerConfig::Name::kLars, make_lars}};

std::unique_ptr<UpdateRule> rule_of(const OptimizerConfig& config) {
  for (const Entry& entry : kRules) {
    if (entry.name == config.name) return entry.make(config);
  }
  throw std::logic_error("no update rule for optimiser " + to_word(config.name));
}

}  // namespace

UpdateRule::~UpdateRule() = default;

std::unique_ptr<UpdateRule> make_update_rule(const OptimizerConfig& config) {
  auto rule = rule_of(config);
  if (config.nesterov && (!rule->has_nesterov() || config.momentum == 0)) {
    throw UserError("optimizer: nesterov needs sgd with a momentum above 0, got " +
                    to_word(config.name) + (rule->has_nesterov() ? " with momentum 0" : ""));
  }
  return rule;
}

}  // namespace avbench
