#include "config/varies.h"

#include <algorithm>
#include <functional>

#include "config/writer.h"

namespace avbench::config {
namespace {

using Json = nlohmann::ordered_json;

// Calls `visit` with path and value of everything that is no object.
void for_each_key(const Json& object, const std::string& path,
                  const std::function<void(const std::string&, const Json&)>& visit) {
  for (const auto& [name, value] : object.items()) {
    const std::string key = path + "." + name;
    if (value.is_object()) {
      for_each_key(value, key, visit);
    } else {
      visit(key, value);
    }
  }
}

}  // namespace

std::vector<std::string> protocol_keys() {
  std::vector<std::string> keys;
  for_each_key(Writer<Json>::written(ProtocolConfig()), "protocol",
               [&](const std::string& key, const Json&) { keys.push_back(key); });
  return keys;
}

std::vector<std::string> settable_keys() {
  std::vector<std::string> keys;
  Json all = Writer<Json>::written(Experiment());
  all.erase("rows");  // rows.<name>.<key>: a file's own
  for_each_key(all, "",
               [&](const std::string& key, const Json&) { keys.push_back(key.substr(1)); });
  return keys;
}

bool covers(const std::vector<std::string>& varies, const std::string& key) {
  return std::any_of(varies.begin(), varies.end(), [&](const std::string& name) {
    return key == name || key.starts_with(name + ".");
  });
}

std::vector<KeyChange> protocol_changes(const ProtocolConfig& experiment,
                                        const ProtocolConfig& row) {
  const Json before = Writer<Json>::written(experiment);
  std::vector<KeyChange> changes;
  for_each_key(
      differing(before, Writer<Json>::written(row)), "protocol",
      [&](const std::string& key, const Json& value) {
        std::string pointer = key.substr(key.find('.'));
        std::replace(pointer.begin(), pointer.end(), '.', '/');
        changes.push_back({key, before.at(Json::json_pointer(pointer)).dump(), value.dump()});
      });
  return changes;
}

}  // namespace avbench::config
