// SGD and AdamW, through LibTorch's fused CPU kernels, and LARS, over named parameters.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "avbench/method.h"
#include "config/experiment.h"

namespace avbench {

class Optimizer {
 public:
  // `names`: a stable name for every tensor in `groups`, by which its state is saved. Throws if a
  // parameter has no name or stands in two groups.
  Optimizer(const OptimizerConfig& config, const std::vector<ParamGroup>& groups,
            const std::map<std::string, at::Tensor>& names);

  // One step with the configured rate times `scale`; parameters without a gradient stay.
  void step(double scale);
  void zero_grad();

  // Scales all gradients so that their joint L2 norm is at most `limit` (0: no limit). Returns the
  // norm before.
  double clip_gradients(double limit);

  // Momentum and moments by "<slot>/<parameter>": "momentum/…"; "exp_avg/…", "exp_avg_sq/…",
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
    std::vector<at::Tensor> first, second, steps;  // momentum; or the two moments and the count
  };
  struct Active;  // the part of a group that has gradients this step
  static Active active(const Group& group);
  void lars_step(const Active& active, double lr, double weight_decay) const;

  OptimizerConfig config_;
  std::vector<Group> groups_;
};

}  // namespace avbench
