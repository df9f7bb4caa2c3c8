// An optimiser over named parameters in groups: SGD, AdamW or LARS (train/optimizers).
#pragma once

#include <torch/types.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "avbench/method.h"
#include "config/optimizer_config.h"
#include "train/optimizers/update_rule.h"

namespace avbench::train {

class Optimizer {
 public:
  // `names`: a stable name for every tensor in `groups`, by which its state is saved. Throws if a
  // parameter has no name or stands in two groups.
  Optimizer(const config::OptimizerConfig& config, const std::vector<ParamGroup>& groups,
            const std::map<std::string, at::Tensor>& names);

  // One step with the configured rate times `scale`; parameters without a gradient stay.
  void step(double scale);
  void zero_grad();

  // The joint L2 norm of all gradients, a scalar where they are: reading it waits for the device.
  at::Tensor gradient_norm() const;
  // Scales all gradients, whose joint norm is `norm`, to `limit` if that is less (0: no limit).
  void clip_gradients(double norm, double limit);

  // What the rule keeps, by "<slot>/<parameter>": "momentum/…"; "exp_avg/…", "exp_avg_sq/…",
  // "step/…". The tensors are the live ones.
  std::map<std::string, at::Tensor> state() const;
  void restore(const std::map<std::string, at::Tensor>& state);

 private:
  struct Group {
    double lr_scale;
    double weight_decay;
    bool constant_lr;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters;
    std::vector<std::vector<at::Tensor>> slots;  // as the rule lists them; by parameter
  };
  using Names = std::unordered_map<const void*, std::string>;  // of what is in no group yet
  using Filter = std::function<bool(const at::Tensor&)>;
  void add_group(const ParamGroup& given, double weight_decay, const Filter& belongs, Names& names);
  static ActiveParameters active(const Group& group);
  std::vector<at::Tensor> gradients() const;

  double lr_;
  std::unique_ptr<UpdateRule> rule_;
  std::vector<Group> groups_;
};

}  // namespace avbench::train
