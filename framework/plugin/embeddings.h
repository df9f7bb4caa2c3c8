// The named tensors of a pure loss against their declaration.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "avbench/plugin.h"

namespace avbench {

// "B,D", "B,K+1,D": capital letters, each perhaps with "+<number>".
bool is_symbolic_shape(const std::string& shape);

// Sizes of a declared tensor, given one for each letter: "B,K+1,D" -> {B, K + 1, D}.
std::vector<int64_t> embedding_sizes(const EmbeddingSpec& spec,
                                     const std::function<int64_t(char letter)>& size_of);

// Throws UserError, naming `origin`, unless `tensors` holds exactly the declared names, all of one
// floating-point type, finite, and one letter stands for one size throughout.
void check_embeddings(const MethodPlugin& plugin, const NamedTensors& tensors,
                      const std::string& origin);

}  // namespace avbench
