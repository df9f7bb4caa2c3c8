// avbench test CONFIG|RUN: the test, after finetune.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"
#include "app/experiment_options.h"

namespace avbench {

void add_test_command(CLI::App& app) {
  auto* command = app.add_subcommand("test", "Test the rows of a configuration that are finetuned");
  const auto options = add_experiment_options(*command);
  command->callback([options] {
    options->run.pretrain = options->run.finetune = false;
    ExperimentRun run = open_experiment(*options);
    const auto failures = run.run(
        options->run, [](const PlannedRun& done) { fmt::print("{}\n", done.folder.string()); });
    fmt::print("{}", write_experiment_table(run));
    require_no_failures(failures);
  });
}

}  // namespace avbench
