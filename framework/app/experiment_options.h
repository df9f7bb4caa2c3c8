// What the commands that run an experiment have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "protocol/experiment_run.h"

namespace avbench {

struct ExperimentOptions {
  std::string target;  // a configuration file, or the folder of a run
  std::vector<std::filesystem::path> overlays;
  std::vector<std::string> sets;
  std::string init;   // file; empty: as configured
  std::string trace;  // file; empty: none
  RunOptions run;
};

// Adds CONFIG, --with, --set, --row, --seed and --trace to a command.
std::shared_ptr<ExperimentOptions> add_experiment_options(CLI::App& command);

// Adds --init to a command that trains.
void add_init_option(CLI::App& command, ExperimentOptions& options);

// Reads the configuration (of a run's folder: its config.yaml, with its row and seed), sets the
// number of threads, and opens data and plugins. `tested`: whether the test split is needed.
ExperimentRun open_experiment(ExperimentOptions& options, bool tested);

// Throws with the messages of the runs that failed, if any did.
void require_no_failures(const std::vector<std::string>& failures);

// Writes table.{md,csv,json} of what has finished so far, or validation.{md,csv,json} of what is
// finetuned, without the test; returns it as Markdown.
std::string write_experiment_table(const ExperimentRun& run, bool tested);

}  // namespace avbench
