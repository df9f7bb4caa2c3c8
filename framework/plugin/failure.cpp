#include "plugin/failure.h"

#include <ATen/ATen.h>

#include <stdexcept>

#include "io/error.h"

namespace avbench::plugin {

void rethrow_with_origin(const LoadedPlugin& plugin, const std::string& function,
                         const std::string& where) {
  const std::string origin = (where.empty() ? "" : where + ": ") + "plugin '" +
                             plugin.record->name + "' (" + plugin.file.string() + "): " + function +
                             "()";
  try {
    throw;
  } catch (const io::UserError& refusal) {
    throw io::UserError(origin + ": " + refusal.what());
  } catch (const c10::Error& error) {
    throw std::runtime_error(origin + " failed: " + error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw std::runtime_error(origin + " failed: " + error.what());
  } catch (...) {
    throw std::runtime_error(origin + " failed: it threw something that is no std::exception");
  }
}

std::shared_ptr<Method> construct_method(const LoadedPlugin& plugin, const MethodContext& context,
                                         const std::string& where) {
  return call_plugin(plugin, "create", where, [&] {
    auto method = plugin.record->create(context);
    if (!method) throw std::runtime_error("it returned no method");
    return method;
  });
}

Loss pure_loss(const LoadedPlugin& plugin, const NamedTensors& embeddings, const Params& params,
               const std::string& where) {
  return call_plugin(plugin, "loss", where, [&] {
    Loss loss = plugin.record->loss(embeddings, params);
    require_scalar(loss);
    return loss;
  });
}

void require_scalar(const Loss& loss) {
  if (!loss.total.defined()) throw std::runtime_error("got no total, expected a scalar");
  if (loss.total.dim() == 0) return;
  throw std::runtime_error(
      c10::str("got a total of shape ", loss.total.sizes(), ", expected a scalar"));
}

}  // namespace avbench::plugin
