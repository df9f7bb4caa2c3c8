// --config and --set for commands that need a configuration's data settings but no experiment.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/experiment.h"

namespace avbench {

struct DataOptions {
  std::string config;  // empty: the defaults
  std::vector<std::string> sets;
};

std::shared_ptr<DataOptions> add_data_options(CLI::App& command);

// Unlike load_experiment() it does not ask for sources and rows. Throws UserError.
Experiment read_settings(const DataOptions& options);

}  // namespace avbench
