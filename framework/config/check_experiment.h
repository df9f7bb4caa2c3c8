// How the keys of an experiment fit each other and the file system.
#pragma once

#include "config/experiment.h"
#include "config/reader.h"
#include "config/value.h"

namespace avbench::config {

// `experiment` was read from `root`. Each problem is reported where its key was written, else with
// `file`.
void check_experiment(const Experiment& experiment, const Value& root, const Where& file,
                      Problems& problems);

}  // namespace avbench::config
