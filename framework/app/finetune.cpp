// avbench finetune CONFIG|RUN: finetuning on labels, after pretrain.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands.h"
#include "app/experiment_options.h"

namespace avbench::app {

void add_finetune_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("finetune", "Finetune the rows of a configuration that are pretrained");
  const auto options = add_experiment_options(*command);
  add_init_option(*command, *options);
  on_run(*command, options, [options] {
    options->run.pretrain = options->run.test = false;
    experiment::ExperimentRun run = experiment::open_experiment(*options, false);
    const auto failures = run.run(options->run, [](const experiment::RunSpec& done) {
      fmt::print("{}\n", done.folder.string());
    });
    require_no_failures(failures);
  });
}

}  // namespace avbench::app
