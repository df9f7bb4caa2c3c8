#include "experiment/row_method.h"

#include <variant>
#include <vector>

#include "io/error.h"
#include "io/sha256.h"
#include "io/strings.h"

namespace avbench::experiment {

RowMethod row_method(const plugin::PluginRegistry& plugins, const config::RowConfig& row) {
  try {
    const plugin::LoadedPlugin& loaded = plugins.find(row.method);
    return {loaded, io::sha256_file(loaded.file), row_params(loaded, row)};
  } catch (const io::UserError& error) {
    const std::string prefix = "row '" + row.name + "': ";
    throw io::UserError(prefix + io::join(io::split(error.what(), '\n'), "\n" + prefix));
  }
}

Params row_params(const plugin::LoadedPlugin& plugin, const config::RowConfig& row) {
  std::vector<ParamInput> inputs;
  for (const config::Setting& s : row.params) inputs.push_back({s.name, s.text, s.where});
  return Params::resolve(plugin.record->name, plugin.record->params, inputs);
}

io::Json params_json(const Params& params) {
  io::Json json = io::Json::object();
  for (const auto& entry : params.values()) {
    std::visit([&](const auto& value) { json[entry.first] = value; }, entry.second);
  }
  return json;
}

}  // namespace avbench::experiment
