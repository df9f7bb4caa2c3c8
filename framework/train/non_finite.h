// Where NaN and infinity are, so that a message can name the file or blame the weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "avbench/batch.h"

namespace avbench::train {

// Rows of [B, ...] that hold NaN or infinity, ascending.
std::vector<int64_t> non_finite_rows(const Tensor& values);

// Rows whose frames or audio do, in any view.
std::vector<int64_t> non_finite_rows(const Batch& batch);

// "a, b and 4 more": at most five names.
std::string first_few(const std::vector<std::string>& names);

// What to do where outputs are not finite, and the input of `faulty` files is not either: these are
// at fault. If there are none, the weights are.
std::string remedy_for(const std::vector<std::string>& faulty);

}  // namespace avbench::train
