// What commands share that read a data set without an experiment: --config and --set, progress.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/dataset.h"

namespace avbench::app {

struct DataOptions {
  std::string config;  // empty: the defaults
  std::vector<std::string> sets;
};

std::shared_ptr<DataOptions> add_data_options(CLI::App& command);

// Unlike load_experiment() it does not ask for sources and rows. Throws UserError.
config::Experiment read_settings(const DataOptions& options);

// For Dataset::open: a line of progress, and Ctrl-C ends it with what was found so far kept.
data::OpenProgress reading_progress(const std::string& title);

}  // namespace avbench::app
