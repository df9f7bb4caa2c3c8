#include "experiment/row_method.h"

#include <variant>
#include <vector>

#include "io/error.h"
#include "io/sha256.h"
#include "io/strings.h"

namespace avbench {

RowMethod row_method(const PluginRegistry& plugins, const RowConfig& row) {
  try {
    const LoadedPlugin& loaded = plugins.find(row.method);
    return {loaded, sha256_file(loaded.file), row_params(loaded, row)};
  } catch (const UserError& error) {
    const std::string prefix = "row '" + row.name + "': ";
    throw UserError(prefix + join(split(error.what(), '\n'), "\n" + prefix));
  }
}

Params row_params(const LoadedPlugin& plugin, const RowConfig& row) {
  std::vector<ParamInput> inputs;
  for (const Setting& s : row.params) inputs.push_back({s.name, s.text, s.where});
  return Params::resolve(plugin.record->name, plugin.record->params, inputs);
}

Json params_json(const Params& params) {
  Json json = Json::object();
  for (const auto& entry : params.values()) {
    std::visit([&](const auto& value) { json[entry.first] = value; }, entry.second);
  }
  return json;
}

}  // namespace avbench
