// A configuration as JSON (hashes, records) and as YAML (to be loaded again).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/experiment.h"

namespace avbench::config {

// The keys of `changed` whose values differ from those of `base`; objects are gone through.
template <class J>
J differing(const J& base, const J& changed) {
  J result = J::object();
  for (const auto& [key, value] : changed.items()) {
    if (value == base.at(key)) continue;
    result[key] = value.is_object() ? differing(base.at(key), value) : value;
  }
  return result;
}

// Visits fields() of a section into a JSON object; J is sorted (nlohmann::json) or keeps the order
// of fields.
template <class J>
class Writer {
 public:
  template <class T, class... Rest>
  void operator()(const char* name, const T& value, const Rest&...) {
    object[name] = value;
  }
  void operator()(const char* name, const std::optional<double>& value, Range, const char*) {
    object[name] = value ? J(*value) : J();
  }
  void path(const char* name, const std::string& value, const char*) { object[name] = value; }
  void names(const char* name, const std::vector<std::string>& names, const char*) {
    object[name] = names;
  }
  // Not written: what it stands for is.
  template <class T>
  void preset(const T&, const std::vector<Preset<T>>&, const char*) {}

  template <class T>
  void section(const char* name, const T& value) {
    object[name] = written(value);
  }
  template <class T>
  void overrides(const char* name, const T& value, const char*, const char*) {
    object[name] = written(value);
  }
  // Of a row's protocol, what differs from the experiment's.
  void rows(const char* name, const std::vector<RowConfig>& rows, const Experiment& experiment) {
    object[name] = J::array();
    const J protocol = written(experiment.protocol);
    for (const RowConfig& row : rows) {
      J item = written(row);
      item["protocol"] = differing(protocol, item["protocol"]);
      object[name].push_back(std::move(item));
    }
  }
  void settings(const char* name, const std::vector<Setting>& settings, const char*) {
    object[name] = J::object();
    for (const Setting& setting : settings) object[name][setting.name] = setting.text;
  }

  template <class T>
  static J written(const T& value) {
    Writer writer;
    fields(writer, value);
    return std::move(writer.object);
  }

  J object = J::object();
};

// Of an Experiment or any section of one.
template <class T>
nlohmann::json to_json(const T& section) {
  return Writer<nlohmann::json>::written(section);
}

// Every key, in the order of fields(). load_experiment gives an equal experiment back, from any
// folder, as long as no path begins with "./" or "../" (a loaded experiment has none).
std::string to_yaml(const Experiment& experiment);

}  // namespace avbench::config
