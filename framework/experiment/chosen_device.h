// The device that a command computes on.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace avbench::experiment {

// See device::select(). Says which it is, and why a GPU that is there is not used.
c10::Device chosen_device(const std::string& wanted, const std::string& where = "run.device");

}  // namespace avbench::experiment
