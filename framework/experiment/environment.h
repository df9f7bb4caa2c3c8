// What a run was computed with, beside its configuration: none of it belongs to the run's
// fingerprint.
#pragma once

#include "io/json.h"

namespace avbench::experiment {

// {"libtorch", "kernels": an instruction set or "off", "threads", "processors", "quota"} of this
// process.
io::Json environment();

}  // namespace avbench::experiment
