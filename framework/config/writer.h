// A configuration as JSON (hashes, records) and as YAML (to be loaded again).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/experiment.h"

namespace avbench {

// Visits fields() of a section into a JSON object; J is sorted (nlohmann::json) or keeps the order
// of fields.
template <class J>
class Writer {
 public:
  template <class T, class... Rest>
  void operator()(const char* name, const T& value, const Rest&...) {
    object[name] = value;
  }
  void path(const char* name, const std::string& value, const char*) { object[name] = value; }
  // Not written: what it stands for is.
  template <class T>
  void preset(const T&, const std::vector<Preset<T>>&, const char*) {}

  template <class T>
  void section(const char* name, const T& value) {
    object[name] = written(value);
  }
  void rows(const char* name, const std::vector<RowConfig>& rows, const TrainingConfig&) {
    object[name] = J::array();
    for (const RowConfig& row : rows) object[name].push_back(written(row));
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

}  // namespace avbench
