// What `avbench bench step` steps: a method, or the two towers alone.
#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <vector>

#include "avbench/params.h"
#include "config/experiment.h"
#include "plugin/load.h"
#include "tensors/state_dict.h"
#include "train/step.h"

namespace avbench::app {

class StepSubject : public train::Trainable {
 public:
  virtual std::vector<ParamGroup> groups() = 0;
  virtual tensors::StateDict state() = 0;  // the tensors are the live ones
};

// The loss is the mean of the features.
std::unique_ptr<StepSubject> bare_towers(const config::ProtocolConfig& protocol,
                                         c10::Device device);

// `plugin` must outlive it. Failures of the method name the plugin.
std::unique_ptr<StepSubject> method_subject(const config::ProtocolConfig& protocol,
                                            const plugin::LoadedPlugin& plugin,
                                            const Params& params, c10::Device device);

}  // namespace avbench::app
