// avbench test CONFIG|RUN: the test, after finetune.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"
#include "app/experiment_options.h"
#include "experiment/results_table.h"

namespace avbench::app {

void add_test_command(CLI::App& app) {
  auto* command = app.add_subcommand("test", "Test the rows of a configuration that are finetuned");
  const auto options = add_experiment_options(*command);
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "print the table as JSON");
  on_run(*command, options, [options, json] {
    options->run.pretrain = options->run.finetune = false;
    experiment::ExperimentRun run = experiment::open_experiment(*options, true);
    const auto failures = run.run(options->run, [](const experiment::RunSpec&) {});
    const report::WrittenTable table = experiment::write_results_table(run, true);
    fmt::print("{}", *json ? table.json : table.markdown);
    require_no_failures(failures);
  });
}

}  // namespace avbench::app
