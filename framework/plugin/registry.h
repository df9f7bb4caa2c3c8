// Finding the plugins.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugin/load.h"

namespace avbench::plugin {

// A file that looks like a plugin but could not be loaded, or a folder that is not there.
struct PluginProblem {
  std::filesystem::path file;
  std::string message;  // begins with the file
};

class PluginRegistry {
 public:
  // Loads every *.so of the folders in AVBENCH_PLUGIN_PATH (separated by ':'), then of
  // ../lib/avbench/plugins beside the program's folder. Never throws because of one plugin.
  static PluginRegistry discover();
  // The same for given folders. Of two plugins with one name the first counts; the second is a
  // problem that names both files.
  static PluginRegistry from_folders(const std::vector<std::filesystem::path>& folders);

  const std::vector<LoadedPlugin>& plugins() const { return plugins_; }  // sorted by name
  const std::vector<PluginProblem>& problems() const { return problems_; }
  const std::vector<std::filesystem::path>& folders() const { return folders_; }

  // Throws UserError on an unknown name: the nearest and all known ones, why a file of that name
  // could not be loaded, and where was searched if nothing was found at all.
  const LoadedPlugin& find(const std::string& name) const;

 private:
  void add_folder(const std::filesystem::path& folder);
  void add_file(const std::filesystem::path& file);

  std::vector<LoadedPlugin> plugins_;
  std::vector<PluginProblem> problems_;
  std::vector<std::filesystem::path> folders_;
};

}  // namespace avbench::plugin
