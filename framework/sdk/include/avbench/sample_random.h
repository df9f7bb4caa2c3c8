// Random draws that belong to a sample.
#pragma once

#include <cstdint>
#include <string_view>

#include "avbench/batch.h"
#include "avbench/context.h"
#include "avbench/export.h"

namespace avbench {

// Integers in [0, high) for each sample: index [B] -> [B, count] int64 on the index's device. Row i
// is a function of the seed of context.random, context.step, `purpose` and index[i] alone: neither
// the order of the batch, nor its split over processes, nor earlier draws change it.
// Throws c10::Error if high < 1.
AVBENCH_EXPORT Tensor sample_integers(const StepContext& context, const Tensor& index,
                                      std::string_view purpose, int64_t count, int64_t high);

}  // namespace avbench
