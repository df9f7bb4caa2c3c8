#include "app/parameter_options.h"

#include "io/error.h"

namespace avbench::app {

void add_parameter_option(CLI::App& command, std::vector<std::string>& sets) {
  command.add_option("--set", sets, "set a parameter of the method")
      ->type_name("PARAMETER=VALUE")
      ->take_all()
      ->allow_extra_args(false);
}

std::vector<ParamInput> parameter_inputs(const std::vector<std::string>& sets) {
  std::vector<ParamInput> inputs;
  for (const std::string& set : sets) {
    const auto equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw io::UserError("--set: got '" + set +
                          "', expected PARAMETER=VALUE, e.g. temperature=0.2");
    }
    const std::string name = set.substr(0, equals);
    inputs.push_back({name, set.substr(equals + 1), "--set " + name});
  }
  return inputs;
}

}  // namespace avbench::app
