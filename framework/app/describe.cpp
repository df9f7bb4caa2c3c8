// avbench describe METHOD: what a plugin's record says.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "io/strings.h"
#include "plugin/embeddings.h"
#include "plugin/failure.h"
#include "plugin/registry.h"

namespace avbench::app {
namespace {

using Json = nlohmann::ordered_json;

const char* type_name(ParamType type) {
  constexpr const char* kNames[] = {"number", "integer", "flag", "choice", "list"};
  return kNames[static_cast<int>(type)];
}

Json default_value(const ParamSpec& spec) {
  switch (spec.type) {
    case ParamType::kNumber:
      return spec.default_number;
    case ParamType::kInteger:
      return static_cast<int64_t>(spec.default_number);
    case ParamType::kFlag:
      return spec.default_number != 0;
    default:
      return spec.default_text;
  }
}

Json bound(const ParamSpec& spec, double value) {
  if (!std::isfinite(value)) return nullptr;
  if (spec.type == ParamType::kInteger) return static_cast<int64_t>(value);
  return value;
}

Json parameter_json(const ParamSpec& spec) {
  Json json = {{"name", spec.name}, {"type", type_name(spec.type)}};
  json["default"] = default_value(spec);
  if (spec.type == ParamType::kNumber || spec.type == ParamType::kInteger) {
    json["min"] = bound(spec, spec.min);
    json["max"] = bound(spec, spec.max);
  }
  if (*spec.choices != '\0') json["choices"] = io::split(spec.choices, '|');
  json["doc"] = spec.doc;
  return json;
}

const char* modality_name(Modality modality) {
  return modality == Modality::kVideo ? "video" : "audio";
}

const char* time_name(ViewTime time) { return time == ViewTime::kSame ? "same" : "independent"; }

Views default_views(const plugin::LoadedPlugin& loaded) {
  const MethodPlugin& plugin = *loaded.record;
  const Params params = Params::resolve(plugin.name, plugin.params, {});
  return plugin::call_plugin(loaded, "views", "", [&] { return plugin.views(params); });
}

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::string embedding_text(const EmbeddingSpec& spec) {
  std::string text = fmt::format("{} [{}]", spec.name, spec.shape);
  if (!spec.differentiable) text += ", no gradient";
  if (spec.unit_rows) text += ", rows of norm 1";
  if (const std::string range = plugin::range_text(spec); !range.empty()) text += ", " + range;
  return text + "  " + spec.doc;
}

void print_json(const plugin::LoadedPlugin& loaded) {
  const MethodPlugin& plugin = *loaded.record;
  Json parameters = Json::array(), views = Json::array(), embeddings = Json::array();
  for (const ParamSpec& spec : plugin.params) parameters.push_back(parameter_json(spec));
  for (const ViewSpec& view : default_views(loaded)) {
    views.push_back({{"name", view.name},
                     {"modality", modality_name(view.modality)},
                     {"time", time_name(view.time)}});
  }
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    embeddings.push_back({{"name", spec.name},
                          {"shape", spec.shape},
                          {"differentiable", spec.differentiable},
                          {"unit_rows", spec.unit_rows},
                          {"min", finite_or_null(spec.min)},
                          {"max", finite_or_null(spec.max)},
                          {"doc", spec.doc}});
  }
  const Json all = {{"name", plugin.name},
                    {"summary", plugin.summary},
                    {"paper", plugin.paper},
                    {"file", loaded.file.string()},
                    {"compiler", loaded.compiler},
                    {"parameters", parameters},
                    {"views", views},
                    {"embeddings", embeddings}};
  fmt::print("{}\n", all.dump(2));
}

void print_parameters(const MethodPlugin& plugin) {
  fmt::print("\nParameters\n");
  if (plugin.params.empty()) fmt::print("  none\n");
  for (const ParamSpec& spec : plugin.params) {
    fmt::print("  {} = {}  ({})\n      {}\n", spec.name, default_text(spec), allowed_text(spec),
               spec.doc);
  }
}

void print_text(const plugin::LoadedPlugin& loaded) {
  const MethodPlugin& plugin = *loaded.record;
  fmt::print("{}\n  {}\n  {}\n  {} ({})\n", plugin.name, plugin.summary, plugin.paper,
             loaded.file.string(), loaded.compiler);
  print_parameters(plugin);
  fmt::print("\nViews (with default parameters)\n");
  for (const ViewSpec& view : default_views(loaded)) {
    fmt::print("  {} {}, time: {}\n", modality_name(view.modality), view.name,
               time_name(view.time));
  }
  fmt::print(
      "\nEmbeddings of the pure loss (`avbench loss {} FILE`); one letter is one size, B the "
      "batch, [] a scalar\n",
      plugin.name);
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    fmt::print("  {}\n", embedding_text(spec));
  }
}

}  // namespace

void add_describe_command(CLI::App& app) {
  struct Options {
    std::string method;
    bool json = false;
  };
  auto* command =
      app.add_subcommand("describe", "Show a method's paper, parameters, views and embeddings");
  const auto options = std::make_shared<Options>();
  command->add_option("METHOD", options->method, "name of a method")->required();
  command->add_flag("--json", options->json, "as JSON");
  command->callback([options] {
    const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
    const plugin::LoadedPlugin& plugin = registry.find(options->method);
    options->json ? print_json(plugin) : print_text(plugin);
  });
}

}  // namespace avbench::app
