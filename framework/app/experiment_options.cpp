#include "app/experiment_options.h"

#include <stdexcept>
#include <utility>

#include "io/strings.h"
#include "runtime/interrupt.h"
#include "runtime/trace.h"

namespace avbench::app {
std::shared_ptr<ExperimentOptions> add_experiment_options(CLI::App& command) {
  auto options = std::make_shared<ExperimentOptions>();
  command.add_option("CONFIG", options->target, "configuration file, or the folder of a run")
      ->required();
  command
      .add_option(
          "--with", options->overlays,
          "a configuration merged over CONFIG, such as configs/scales/smallest.yaml (may be "
          "given again)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_option("--set", options->sets, "override a key: protocol.pretrain.epochs=3")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  command.add_option("--row", options->run.rows, "only this row (may be given again)");
  command.add_option("--seed", options->run.seeds, "only this seed (may be given again)");
  command
      .add_option("--trace", options->trace,
                  "write the phases as a Chrome trace (ui.perfetto.dev shows it)")
      ->type_name("FILE");
  return options;
}

void add_init_option(CLI::App& command, ExperimentOptions& options) {
  command
      .add_option("--init", options.init, "weights the towers start from (protocol.encoder.init)")
      ->type_name("FILE");
}

void on_run(CLI::App& command, const std::shared_ptr<ExperimentOptions>& options,
            std::function<void()> run) {
  command.callback([options, run = std::move(run)] {
    if (!options->trace.empty()) runtime::start_trace(options->trace);
    runtime::install_interrupt_handler();
    run();
  });
}

void require_no_failures(const std::vector<std::string>& failures) {
  if (failures.empty()) return;
  throw std::runtime_error(std::to_string(failures.size()) + " of the runs failed:\n  " +
                           io::join(failures, "\n  "));
}

}  // namespace avbench::app
