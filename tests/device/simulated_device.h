// A device without hardware: see simulated_device.cpp.
#pragma once

#include <cstdint>

// How often the program has waited for the device to read something from it.
__attribute__((visibility("default"))) int64_t simulated_device_reads();
