// The named tensors of a pure loss against their declaration.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "avbench/plugin.h"

namespace avbench::plugin {

// As EmbeddingSpec describes it.
bool is_symbolic_shape(const std::string& shape);

// Sizes of a declared tensor, given one for each letter: "B,K+1,D" -> {B, K + 1, D}.
std::vector<int64_t> embedding_sizes(const EmbeddingSpec& spec,
                                     const std::function<int64_t(char letter)>& size_of);

// "at least 0", "from 0 to 1"; "" without bounds.
std::string range_text(const EmbeddingSpec& spec);

// Any values, brought into the declared range and then to rows of norm 1, if so declared. Zero rows
// become constant ones.
Tensor as_declared(const EmbeddingSpec& spec, const Tensor& values);

// Throws UserError, naming `origin`, with the nearest name, unless `tensors` holds exactly the
// declared names.
void check_embedding_names(const MethodPlugin& plugin, const NamedTensors& tensors,
                           const std::string& origin);

// The same, and unless all are of one floating-point type, finite and in range, and one letter
// stands for one size throughout.
void check_embeddings(const MethodPlugin& plugin, const NamedTensors& tensors,
                      const std::string& origin);

}  // namespace avbench::plugin
