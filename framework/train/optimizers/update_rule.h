// How an optimiser moves parameters. A further one is a file here, which defines a rule and its
// maker, a value of OptimizerConfig::Name, and a line in the list of update_rule.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "config/optimizer_config.h"

namespace avbench::train {

// A tensor that is kept for each parameter and starts at zero.
struct Slot {
  const char* name;       // saved as "<name>/<parameter>"
  bool is_count = false;  // one float32 number; otherwise like the parameter
};

// The parameters of a group that have gradients in this step.
struct ActiveParameters {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;           // laid out in memory as their parameters
  std::vector<std::vector<at::Tensor>> slots;  // by slot, then by parameter
};

class UpdateRule {
 public:
  virtual ~UpdateRule();
  virtual std::vector<Slot> slots() const = 0;

  // One step of all `active`, of which there is at least one. Called without gradients.
  virtual void step(const ActiveParameters& active, double lr, double weight_decay) const = 0;

  virtual bool has_nesterov() const { return false; }

  // Whether the rule itself leaves out of the weight decay what has one dimension.
  virtual bool decays_by_shape() const { return false; }
};

// The rule that the configuration names. Throws UserError for a setting that it does not have.
std::unique_ptr<UpdateRule> make_update_rule(const config::OptimizerConfig& config);

// What the list holds.
std::unique_ptr<UpdateRule> make_sgd(const config::OptimizerConfig& config);
std::unique_ptr<UpdateRule> make_adamw(const config::OptimizerConfig& config);
std::unique_ptr<UpdateRule> make_lars(const config::OptimizerConfig& config);

}  // namespace avbench::train
