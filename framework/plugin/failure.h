// What a plugin throws, with where it came from.
#pragma once

#include <memory>
#include <string>

#include "plugin/load.h"

namespace avbench::plugin {

// In a catch block: throws what was caught again, with `where` (a row, a file; may be empty), the
// plugin's name and file and the function that failed in front. The user's mistake stays a
// UserError; anything else becomes a std::runtime_error, LibTorch's backtrace left out.
[[noreturn]] void rethrow_with_origin(const LoadedPlugin& plugin, const std::string& function,
                                      const std::string& where);

// call(), with the origin on whatever it throws.
template <class F>
auto call_plugin(const LoadedPlugin& plugin, const std::string& function, const std::string& where,
                 F call) {
  try {
    return call();
  } catch (...) {
    rethrow_with_origin(plugin, function, where);
  }
}

// Where a method came from. Without a plugin it is the host's own (a baseline) and called as it is.
struct MethodOrigin {
  const LoadedPlugin* plugin = nullptr;
  std::string where;

  template <class F>
  auto call(const std::string& function, F call) const {
    return plugin ? call_plugin(*plugin, function, where, call) : call();
  }
};

// The plugin's create(); never null.
std::shared_ptr<Method> construct_method(const LoadedPlugin& plugin, const MethodContext& context,
                                         const std::string& where);

// The plugin's pure loss; its total is one number.
Loss pure_loss(const LoadedPlugin& plugin, const NamedTensors& embeddings, const Params& params,
               const std::string& where);

// Throws std::runtime_error unless the total is one number.
void require_scalar(const Loss& loss);

}  // namespace avbench::plugin
