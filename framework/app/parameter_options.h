// The option --set of commands that take a method, not a configuration.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "avbench/params.h"

namespace avbench::app {

// Adds --set PARAMETER=VALUE.
void add_parameter_option(CLI::App& command, std::vector<std::string>& sets);

// Throws UserError on what is not PARAMETER=VALUE.
std::vector<ParamInput> parameter_inputs(const std::vector<std::string>& sets);

}  // namespace avbench::app
