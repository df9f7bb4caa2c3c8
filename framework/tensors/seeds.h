// Seeds decide everything random: each purpose has its own, derived from the run's.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string_view>

namespace avbench::tensors {

// A seed for (seed, purpose, number): the same for ever, and unrelated for any other triple.
uint64_t derive_seed(uint64_t seed, std::string_view purpose, uint64_t number = 0);

// A fresh CPU generator.
at::Generator make_generator(uint64_t seed);

// Seeds LibTorch's default CPU generator, which dropout and module initialisation draw from.
void seed_default_generator(uint64_t seed);

}  // namespace avbench::tensors
