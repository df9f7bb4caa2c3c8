// From a configuration file to a checked experiment.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/experiment.h"

namespace avbench::config {

// Reads the file, what it extends, then `overlays`, files that are merged over it, and the
// assignments of --set; checks every key and how keys fit
// each other, and that the sources exist. Throws one UserError that lists what is wrong (at most
// 20 lines), each with file:line.
Experiment load_experiment(const std::filesystem::path& path, const std::vector<std::string>& sets,
                           const std::vector<std::filesystem::path>& overlays = {});

}  // namespace avbench::config
