#include "config/load.h"

#include "config/check_experiment.h"
#include "config/controls.h"
#include "config/reader.h"

namespace avbench::config {

Experiment load_experiment(const std::filesystem::path& path, const std::vector<std::string>& sets,
                           const std::vector<std::filesystem::path>& overlays) {
  Value root = load_yaml(path, overlays);
  for (const std::string& assignment : sets) set(root, assignment);
  Problems problems;
  Experiment experiment;
  read_section(root, "", experiment, problems);
  check_experiment(experiment, root, path.string(), problems);
  add_controls(experiment, path.string(), problems);
  problems.throw_if_any();
  return experiment;
}

}  // namespace avbench::config
