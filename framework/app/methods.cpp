// avbench methods: the plugins found, where, and what could not be loaded.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "plugin/registry.h"

namespace avbench::app {
namespace {

void print_json(const plugin::PluginRegistry& registry) {
  using Json = nlohmann::ordered_json;
  Json methods = Json::array(), problems = Json::array(), folders = Json::array();
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    methods.push_back({{"name", plugin.record->name},
                       {"summary", plugin.record->summary},
                       {"paper", plugin.record->paper},
                       {"file", plugin.file.string()},
                       {"compiler", plugin.compiler}});
  }
  for (const plugin::PluginProblem& problem : registry.problems()) {
    problems.push_back({{"file", problem.file.string()}, {"message", problem.message}});
  }
  for (const auto& folder : registry.folders()) folders.push_back(folder.string());
  const Json all = {{"methods", methods}, {"problems", problems}, {"folders", folders}};
  fmt::print("{}\n", all.dump(2));
}

void print_text(const plugin::PluginRegistry& registry) {
  size_t width = 0;
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    width = std::max(width, std::string_view(plugin.record->name).size());
  }
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    fmt::print("{:{}}  {}\n{:{}}  {}\n", plugin.record->name, width, plugin.record->summary, "",
               width, plugin.file.string());
  }
  if (registry.plugins().empty()) {
    fmt::print("No methods found in:\n");
    for (const auto& folder : registry.folders()) fmt::print("  {}\n", folder.string());
  }
  for (const plugin::PluginProblem& problem : registry.problems()) {
    fmt::print(stderr, "avbench: not loaded: {}\n", problem.message);
  }
}

}  // namespace

void add_methods_command(CLI::App& app) {
  auto* command = app.add_subcommand("methods", "List the methods found, and where");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "as JSON, with what could not be loaded and why");
  command->callback([json] {
    const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
    *json ? print_json(registry) : print_text(registry);
  });
}

}  // namespace avbench::app
