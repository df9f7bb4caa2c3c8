#include "train/optimizers/update_rule.h"

#include <stdexcept>
#include <string>

#include "io/error.h"

namespace avbench::train {
namespace {

struct Entry {
  config::OptimizerConfig::Name name;
  std::unique_ptr<UpdateRule> (*make)(const config::OptimizerConfig&);
};
constexpr Entry kRules[] = {{config::OptimizerConfig::Name::kSgd, make_sgd},
                            {config::OptimizerConfig::Name::kAdamw, make_adamw},
                            {config::OptimizerConfig::Name::kLars, make_lars}};

std::unique_ptr<UpdateRule> rule_of(const config::OptimizerConfig& config) {
  for (const Entry& entry : kRules) {
    if (entry.name == config.name) return entry.make(config);
  }
  throw std::logic_error("no update rule for optimiser " + config::to_word(config.name));
}

}  // namespace

UpdateRule::~UpdateRule() = default;

std::unique_ptr<UpdateRule> make_update_rule(const config::OptimizerConfig& config) {
  auto rule = rule_of(config);
  if (config.nesterov && (!rule->has_nesterov() || config.momentum == 0)) {
    throw io::UserError("optimizer: nesterov needs sgd with a momentum above 0, got " +
                        config::to_word(config.name) +
                        (rule->has_nesterov() ? " with momentum 0" : ""));
  }
  return rule;
}

}  // namespace avbench::train
