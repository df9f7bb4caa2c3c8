#include "plugin/registry.h"

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/runtime_symbol_info.hpp>
#include <cstdlib>

#include "io/error.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench::plugin {
namespace fs = std::filesystem;
namespace {

// The same layout in the build folder and where avbench is installed.
fs::path folder_beside_program() {
  const fs::path program = boost::dll::program_location();
  return program.parent_path().parent_path() / "lib" / "avbench" / "plugins";
}

std::vector<fs::path> libraries_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

PluginRegistry PluginRegistry::discover() {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("AVBENCH_PLUGIN_PATH")) {
    for (const std::string& folder : io::split(path, ':')) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  const fs::path own = folder_beside_program();
  if (folders.empty() || fs::is_directory(own)) folders.push_back(own);
  return from_folders(folders);
}

PluginRegistry PluginRegistry::from_folders(const std::vector<fs::path>& folders) {
  PluginRegistry registry;
  for (const fs::path& folder : folders) registry.add_folder(folder);
  std::sort(registry.plugins_.begin(), registry.plugins_.end(),
            [](const LoadedPlugin& a, const LoadedPlugin& b) {
              return std::string_view(a.record->name) < b.record->name;
            });
  return registry;
}

void PluginRegistry::add_folder(const fs::path& given) {
  std::error_code error;
  const fs::path folder = fs::canonical(given, error);
  if (error || !fs::is_directory(folder)) {
    problems_.push_back({given, given.string() + ": no such folder of plugins"});
    folders_.push_back(given);
    return;
  }
  if (std::find(folders_.begin(), folders_.end(), folder) != folders_.end()) return;
  folders_.push_back(folder);
  try {
    for (const fs::path& file : libraries_in(folder)) add_file(file);
  } catch (const fs::filesystem_error& unreadable) {
    problems_.push_back({folder, folder.string() + ": " + unreadable.code().message()});
  }
}

void PluginRegistry::add_file(const fs::path& file) try {
  const LoadedPlugin loaded = load_plugin(file);
  const std::string name = loaded.record->name;
  for (const LoadedPlugin& earlier : plugins_) {
    if (earlier.record->name == name) {
      throw io::UserError(file.string() + ": a second plugin named '" + name + "', the first is " +
                          earlier.file.string() + ", which is used");
    }
  }
  plugins_.push_back(loaded);
} catch (const std::exception& error) {
  problems_.push_back({file, error.what()});
}

const LoadedPlugin& PluginRegistry::find(const std::string& name) const {
  std::vector<std::string> known;
  for (const LoadedPlugin& plugin : plugins_) {
    if (plugin.record->name == name) return plugin;
    known.emplace_back(plugin.record->name);
  }
  std::string message = "unknown method '" + name + "'" + io::did_you_mean(name, known);
  for (const PluginProblem& problem : problems_) {
    if (problem.file.stem() == name) message += "; could not be loaded: " + problem.message;
  }
  if (!known.empty()) {
    throw io::UserError(message + "; known: " + io::join(known) +
                        " (AVBENCH_PLUGIN_PATH adds folders of plugins)");
  }
  std::vector<std::string> folders;
  for (const fs::path& folder : folders_) folders.push_back(folder.string());
  throw io::UserError(message + "; no plugins were found in " + io::join(folders) +
                      " (AVBENCH_PLUGIN_PATH adds folders)");
}

}  // namespace avbench::plugin
