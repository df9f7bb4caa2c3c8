// What `avbench bench step` steps: a method, or the two towers alone.
#pragma once

#include <memory>
#include <vector>

#include "avbench/params.h"
#include "config/experiment.h"
#include "plugin/load.h"
#include "tensors/state_dict.h"
#include "train/step.h"

namespace avbench {

class StepSubject : public Trainable {
 public:
  virtual std::vector<ParamGroup> groups() = 0;
  virtual StateDict state() = 0;  // the tensors are the live ones
};

// The loss is the mean of the features.
std::unique_ptr<StepSubject> bare_towers(const ProtocolConfig& protocol);

// `plugin` must outlive it. Failures of the method name the plugin.
std::unique_ptr<StepSubject> method_subject(const ProtocolConfig& protocol,
                                            const LoadedPlugin& plugin, const Params& params);

}  // namespace avbench
