// The control rows that an experiment asks for with `controls`.
#pragma once

#include "config/experiment.h"
#include "config/reader.h"

namespace avbench::config {

// Adds the control rows behind the others, names what they differ in as varying, and sets
// `controls` to none: the rows are there now. Reports, at `where`, a control whose name is another
// row's or too long, and one of a row with batches of one.
void add_controls(Experiment& experiment, const Where& where, Problems& problems);

}  // namespace avbench::config
