// The method of a row: its plugin, and its parameters as the plugin declares them.
#pragma once

#include <string>

#include "avbench/params.h"
#include "config/experiment.h"
#include "io/json.h"
#include "plugin/registry.h"

namespace avbench::experiment {

struct RowMethod {
  plugin::LoadedPlugin plugin;
  std::string hash;  // SHA-256 of the plugin's file
  Params params;
};

// Throws UserError that names the row if there is no such plugin, or it refuses a parameter.
RowMethod row_method(const plugin::PluginRegistry& plugins, const config::RowConfig& row);

// Throws UserError if the plugin refuses a parameter.
Params row_params(const plugin::LoadedPlugin& plugin, const config::RowConfig& row);

// By name.
io::Json params_json(const Params& params);

}  // namespace avbench::experiment
