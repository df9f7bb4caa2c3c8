#include "experiment/open_experiment.h"

#include "config/load.h"
#include "experiment/run_folder.h"
#include "experiment/training_threads.h"

namespace avbench::experiment {
namespace fs = std::filesystem;

ExperimentRun open_experiment(ExperimentRequest& request, bool tested) {
  fs::path config = request.target;
  std::error_code unreadable;  // said when it is read
  if (fs::is_directory(config, unreadable)) {
    const RunFolder folder(config);
    const RunRecord record = folder.record();
    request.run.rows = {record.row};
    request.run.seeds = {record.seed};
    config = folder.config();
  }
  if (!request.init.empty()) {
    request.sets.push_back("protocol.encoder.init=" + io::Json(request.init).dump());
  }
  config::Experiment experiment = config::load_experiment(config, request.sets, request.overlays);
  use_training_threads(experiment.run.threads);
  return ExperimentRun(std::move(experiment), plugin::PluginRegistry::discover(), tested,
                       request.run);
}

}  // namespace avbench::experiment
