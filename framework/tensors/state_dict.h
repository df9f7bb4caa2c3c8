// Tensors of a model by name.
#pragma once

#include <torch/nn/module.h>

#include <map>
#include <string>

namespace avbench::tensors {

using StateDict = std::map<std::string, at::Tensor>;

// Copies `source` into the live tensors of `target`. Throws UserError listing what is missing, left
// over (unless `allow_more`) or of another shape or type; nothing is copied then.
void copy_state(const StateDict& source, const StateDict& target, const std::string& what,
                bool allow_more = false);

// Parameters and buffers of a module by name; the tensors are the live ones.
StateDict module_state(const torch::nn::Module& module);

}  // namespace avbench::tensors
