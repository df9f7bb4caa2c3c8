// Loading one plugin from its file.
#pragma once

#include <filesystem>
#include <string>

#include "avbench/plugin.h"

namespace avbench::plugin {

struct LoadedPlugin {
  const MethodPlugin* record;  // lives as long as the process: a plugin is never unloaded
  std::filesystem::path file;
  std::string compiler;  // what the plugin was built with, for information
};

// The ABI tag that this host accepts, e.g. "avbench_abi_4_libtorch_2_11_0_cxx11abi1".
std::string host_abi_tag();

// Compares the ABI tag before anything of the library is loaded, loads it with
// rtld_now | rtld_local, and checks its record. Throws UserError with file, got and expected.
LoadedPlugin load_plugin(const std::filesystem::path& file);

}  // namespace avbench::plugin
