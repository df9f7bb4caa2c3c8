// avbench check METHOD|PLUGIN.so: the conformance suite on one plugin.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/parameter_options.h"
#include "check/suite.h"
#include "experiment/chosen_device.h"
#include "io/error.h"
#include "io/strings.h"
#include "plugin/registry.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::string method;
  std::vector<std::string> sets;
  std::string device = "cpu";
  bool json = false;
};

void print_line(const check::Result& result) {
  fmt::print("{:<36}  {:<7}  {}\n", result.property.name, check::status_text(result.result.status),
             result.result.text);
  std::fflush(stdout);  // of a plugin that crashes, what was found before is known
}

Json number_json(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? Json(*number) : Json();
}

void print_json(const std::string& method, const std::string& file,
                const std::vector<check::Result>& results) {
  Json properties = Json::array();
  for (const auto& [property, result] : results) {
    properties.push_back({{"name", property.name},
                          {"summary", property.summary},
                          {"status", check::status_text(result.status)},
                          {"measured", number_json(result.measured)},
                          {"limit", number_json(result.limit)},
                          {"text", result.text}});
  }
  const Json all = {{"method", method}, {"file", file}, {"properties", properties}};
  fmt::print("{}\n", all.dump(2, ' ', false, Json::error_handler_t::replace));
}

// Exit code 1 where a property failed.
void conclude(const std::string& plugin, const std::vector<check::Result>& results) {
  std::vector<std::string> failures;
  for (const auto& [property, result] : results) {
    if (result.status == check::Status::kFailed) failures.emplace_back(property.name);
  }
  if (failures.empty()) return;
  throw std::runtime_error(fmt::format("{}: {} of {} properties do not hold: {}", plugin,
                                       failures.size(), results.size(), io::join(failures)));
}

bool is_file_name(const std::string& method) {
  return method.find('/') != std::string::npos || method.ends_with(".so");
}

void check_refused(const Options& options, const std::string& reason) {
  const auto results = check::refused_by_loader(
      reason, options.json ? std::function<void(const check::Result&)>() : print_line);
  if (options.json) print_json("", options.method, results);
  conclude(options.method, results);
}

void check_plugin(const Options& options, const plugin::LoadedPlugin& plugin) {
  const MethodPlugin& record = *plugin.record;
  const check::PluginUnderTest tested{
      plugin, Params::resolve(record.name, record.params, parameter_inputs(options.sets))};
  if (!options.sets.empty()) check::refuse_bad_combination(tested);
  const auto results = check::run_suite(
      tested, options.json ? std::function<void(const check::Result&)>() : print_line,
      options.device == "cpu" ? c10::Device(c10::kCPU)
                              : experiment::chosen_device(options.device, "--device"));
  if (options.json) print_json(record.name, plugin.file.string(), results);
  conclude(record.name, results);
}

void run(const Options& options) {
  if (!is_file_name(options.method)) {
    const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
    return check_plugin(options, registry.find(options.method));
  }
  std::error_code error;
  if (!fs::is_regular_file(options.method, error)) {
    throw io::UserError(options.method +
                        ": no such file, expected a plugin or the name of a method");
  }
  std::optional<plugin::LoadedPlugin> plugin;
  try {
    plugin = plugin::load_plugin(options.method);
  } catch (const io::UserError& refusal) {
    return check_refused(options, refusal.what());
  }
  check_plugin(options, *plugin);
}

}  // namespace

void add_check_command(CLI::App& app) {
  auto* command = app.add_subcommand("check", "Measure what must hold for every method");
  const auto options = std::make_shared<Options>();
  command->add_option("METHOD", options->method, "name of a method, or a plugin's file")
      ->required();
  add_parameter_option(*command, options->sets);
  command
      ->add_option("--device", options->device,
                   "also that the method computes there as on the CPU: cuda, cuda:1, auto")
      ->capture_default_str();
  command->add_flag("--json", options->json, "as JSON");
  command->callback([options] { run(*options); });
}

}  // namespace avbench::app
