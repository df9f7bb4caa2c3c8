// What must hold for a plugin's record before the host uses it.
#pragma once

#include <string>
#include <vector>

#include "avbench/plugin.h"

namespace avbench::plugin {

// One line for each missing field, bad or repeated name, default outside its own range, and
// misspelt shape. Empty: the record has no fault. Nothing of the plugin is called.
std::vector<std::string> record_faults(const MethodPlugin* record);

}  // namespace avbench::plugin
