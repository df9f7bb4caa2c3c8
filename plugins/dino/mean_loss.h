// Several losses of one step as one.
#pragma once

#include <vector>

#include "avbench/batch.h"

namespace avbench::dino {

// The mean of totals and of parts, which have the same names. It shows no inputs: no single set of
// embeddings gives it.
inline Loss mean_of(const std::vector<Loss>& losses) {
  const auto count = static_cast<double>(losses.size());
  Loss mean = losses.front();
  for (size_t i = 1; i < losses.size(); ++i) {
    mean.total = mean.total + losses[i].total;
    for (size_t p = 0; p < mean.parts.size(); ++p) {
      mean.parts[p].second = mean.parts[p].second + losses[i].parts[p].second;
    }
  }
  mean.total = mean.total / count;
  for (auto& [name, part] : mean.parts) part = part / count;
  mean.inputs.clear();
  return mean;
}

}  // namespace avbench::dino
