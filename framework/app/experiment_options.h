// What the commands that run an experiment have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "experiment/open_experiment.h"

namespace avbench::app {

struct ExperimentOptions : experiment::ExperimentRequest {
  std::string trace;  // file; empty: none
};

// Adds CONFIG, --with, --set, --row, --seed and --trace to a command, whose callback `run` becomes,
// with Ctrl-C handled and the trace begun.
std::shared_ptr<ExperimentOptions> add_experiment_options(CLI::App& command);
void on_run(CLI::App& command, const std::shared_ptr<ExperimentOptions>& options,
            std::function<void()> run);

// Adds --init to a command that trains.
void add_init_option(CLI::App& command, ExperimentOptions& options);

// Throws with the messages of the runs that failed, if any did.
void require_no_failures(const std::vector<std::string>& failures);

}  // namespace avbench::app
