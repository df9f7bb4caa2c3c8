// avbench pretrain CONFIG|RUN: the self-supervised stage alone.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"
#include "app/experiment_options.h"

namespace avbench::app {

void add_pretrain_command(CLI::App& app) {
  auto* command = app.add_subcommand("pretrain", "Pretrain the rows of a configuration");
  const auto options = add_experiment_options(*command);
  add_init_option(*command, *options);
  on_run(*command, options, [options] {
    options->run.finetune = options->run.test = false;
    experiment::ExperimentRun run = experiment::open_experiment(*options, false);
    const auto failures = run.run(options->run, [](const experiment::RunSpec& done) {
      // A baseline has nothing to pretrain.
      if (!done.pretrain_folder.empty()) fmt::print("{}\n", done.pretrain_folder.string());
    });
    require_no_failures(failures);
  });
}

}  // namespace avbench::app
