// What a run was computed with, beside its configuration: none of it belongs to the run's
// fingerprint.
#pragma once

#include <c10/core/Device.h>

#include "io/json.h"

namespace avbench::experiment {

// {"device", "libtorch", "kernels": an instruction set or "off", "threads", "processors", "quota"}
// of this process.
io::Json environment(c10::Device device);

}  // namespace avbench::experiment
