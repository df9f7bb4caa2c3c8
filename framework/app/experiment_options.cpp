#include "app/experiment_options.h"

#include <filesystem>
#include <map>

#include "app/training_threads.h"
#include "config/load.h"
#include "io/atomic_file.h"
#include "io/json_fields.h"
#include "io/suggest.h"
#include "io/trace.h"
#include "protocol/sweep.h"
#include "report/table.h"
#include "train/interrupt.h"

namespace avbench {
namespace fs = std::filesystem;

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

ExperimentRun open_experiment(ExperimentOptions& options, bool tested) {
  if (!options.trace.empty()) start_trace(options.trace);
  fs::path config = options.target;
  std::error_code unreadable;  // said when it is read
  if (fs::is_directory(config, unreadable)) {
    const Json record = read_json(config / "run.json");
    options.run.rows = {record.at("row").get<std::string>()};
    options.run.seeds = {record.at("seed").get<int64_t>()};
    config /= "config.yaml";
  }
  if (!options.init.empty()) {
    options.sets.push_back("protocol.encoder.init=" + Json(options.init).dump());
  }
  Experiment experiment = load_experiment(config, options.sets, options.overlays);
  use_training_threads(experiment.run.threads);
  install_interrupt_handler();
  return ExperimentRun(std::move(experiment), PluginRegistry::discover(), tested);
}

void require_no_failures(const std::vector<std::string>& failures) {
  if (failures.empty()) return;
  throw std::runtime_error(std::to_string(failures.size()) + " of the runs failed:\n  " +
                           join(failures, "\n  "));
}

namespace {

// By row, from the folder's sweep.json if a sweep was made.
std::map<std::string, int64_t> swept_trials(const fs::path& folder) {
  std::map<std::string, int64_t> trials;
  const fs::path file = folder / "sweep.json";
  if (!fs::exists(file)) return trials;
  const auto sweep = read_fields<Sweep>(read_json(file), file.string());
  for (const SweptRow& row : sweep.rows) trials[row.row] = sweep.trials;
  return trials;
}

}  // namespace

std::string write_experiment_table(const ExperimentRun& run, bool tested) {
  const std::map<std::string, int64_t> trials = swept_trials(run.folder());
  std::vector<TableEntry> entries;
  for (const PlannedRun& planned : run.plan({})) {
    const auto swept = trials.find(planned.row->name);
    entries.push_back({planned.row->name, run.summary(planned, tested), planned.row->paper,
                       swept == trials.end() ? 0 : swept->second, planned.row->control_of,
                       planned.stale});
  }
  return write_table(run.folder(), tested ? "table" : "validation", entries, run.experiment().name,
                     run.experiment().description);
}

}  // namespace avbench
