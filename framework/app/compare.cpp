// avbench compare CONFIG: every row through all the stages, then the table.
#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "app/commands.h"
#include "app/experiment_options.h"
#include "config/writer.h"
#include "experiment/results_table.h"
#include "experiment/sweep_runner.h"

namespace avbench::app {

void add_compare_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "compare", "Run every row of a configuration through pretraining, finetuning and test");
  const auto options = add_experiment_options(*command);
  add_init_option(*command, *options);
  const auto dry_run = std::make_shared<bool>(false), no_probe = std::make_shared<bool>(false),
             json = std::make_shared<bool>(false);
  auto* dry_run_flag = command->add_flag("--dry-run", *dry_run,
                                         "print the plan, with time and disk from a few measured "
                                         "steps, and the resolved configuration");
  command->add_flag("--no-probe", *no_probe, "a dry run without measuring")->needs(dry_run_flag);
  command->add_flag("--json", *json, "print the table as JSON");
  const auto validation = std::make_shared<bool>(false);
  command->add_flag("--validation", *validation,
                    "no test: stop after finetuning and compare the validation accuracies");
  const auto trials = std::make_shared<int64_t>(0);
  command
      ->add_option("--sweep", *trials,
                   "first give every method this many trials over its own `sweep`, chosen on "
                   "validation data")
      ->check(CLI::Range(int64_t{1}, int64_t{1000}));
  on_run(*command, options, [options, dry_run, no_probe, json, validation, trials] {
    const bool tested = !*validation;
    options->run.test = tested;
    std::optional<experiment::ExperimentSweep> sweep;
    if (*trials > 0) sweep.emplace(*options, *trials);
    if (sweep && !*dry_run) sweep->run(*options);
    experiment::ExperimentRun run = experiment::open_experiment(*options, tested);
    if (*dry_run) {
      fmt::print("{}{}\n{}", sweep ? sweep->describe() : "", run.describe(options->run, !*no_probe),
                 config::to_yaml(run.experiment()));
      return;
    }
    const auto failures = run.run(options->run, [&](const experiment::RunSpec&) {
      experiment::write_results_table(run, tested);
    });
    const report::WrittenTable table = experiment::write_results_table(run, tested);
    fmt::print("{}", *json ? table.json : table.markdown);
    fmt::print(stderr, "results: {}\n", run.folder().string());
    require_no_failures(failures);
  });
}

}  // namespace avbench::app
