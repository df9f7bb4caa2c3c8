#include "tensors/state_dict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/error.h"

namespace avbench::tensors {
namespace {

void append(std::string& list, const std::string& item) {
  if (!list.empty()) list += ", ";
  list += item;
}

std::string shape_text(const at::Tensor& t) {
  return fmt::format("[{}]", fmt::join(t.sizes(), ", "));
}

}  // namespace

void copy_state(const StateDict& source, const StateDict& target, const std::string& what,
                bool allow_more) {
  std::string missing, unexpected, misshapen;
  for (const auto& [name, tensor] : target) {
    const auto found = source.find(name);
    if (found == source.end()) {
      append(missing, name);
    } else if (found->second.sizes() != tensor.sizes() ||
               found->second.scalar_type() != tensor.scalar_type()) {
      append(misshapen,
             fmt::format("{} (got {} {}, expected {} {})", name,
                         at::toString(found->second.scalar_type()), shape_text(found->second),
                         at::toString(tensor.scalar_type()), shape_text(tensor)));
    }
  }
  if (!allow_more) {
    for (const auto& [name, tensor] : source) {
      if (!target.contains(name)) append(unexpected, name);
    }
  }
  if (!missing.empty() || !unexpected.empty() || !misshapen.empty()) {
    std::string message = what + " does not fit the model";
    if (!missing.empty()) message += "\n  missing: " + missing;
    if (!unexpected.empty()) message += "\n  unexpected: " + unexpected;
    if (!misshapen.empty()) message += "\n  of another shape or type: " + misshapen;
    throw io::UserError(message);
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : target) at::Tensor(tensor).copy_(source.at(name));
}

StateDict module_state(const torch::nn::Module& module) {
  StateDict state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

}  // namespace avbench::tensors
