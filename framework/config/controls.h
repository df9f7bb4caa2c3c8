// The control rows that an experiment asks for with `controls`.
#pragma once

#include "config/experiment.h"
#include "config/reader.h"

namespace avbench {

// Adds the control rows behind the others, names what they differ in as varying, and sets
// `controls` to none: the rows are there now. Reports, at `where`, a row that has the name of
// another one's control.
void add_controls(Experiment& experiment, const Where& where, Problems& problems);

}  // namespace avbench
