// What `avbench bench step` measures: a step of a method, of the two towers alone, and their
// forward pass.
#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <string>

#include "avbench/params.h"
#include "config/experiment.h"
#include "data/dataset.h"
#include "plugin/registry.h"

namespace avbench::app {

// A method with the parameters and the optimiser of one row, or with its defaults.
struct StepEntry {
  std::string name;
  const plugin::LoadedPlugin* plugin;
  Params params;
  config::OptimizerConfig optimizer;
};

// Registers benchmarks "step/NAME" with Google Benchmark. What it is given must outlive their run.
class StepBenchmarks {
 public:
  // Without a data set the clips are random.
  StepBenchmarks(const config::Experiment& experiment, std::shared_ptr<const data::Dataset> dataset,
                 c10::Device device);

  void add(const StepEntry& entry) const;
  void add_bare() const;     // the two towers alone, with the mean of their features as the loss
  void add_forward() const;  // the two towers in evaluation, without gradients

 private:
  const config::Experiment& experiment_;
  std::shared_ptr<const data::Dataset> dataset_;
  c10::Device device_;
  double gemm_peak_;
};

}  // namespace avbench::app
