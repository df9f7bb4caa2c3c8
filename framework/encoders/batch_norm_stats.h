// Batch-norm statistics measured anew: those of training are stale after few-label finetuning.
#pragma once

#include "avbench/context.h"
#include "avbench/towers.h"

namespace avbench::encoders {

// Replaces the running statistics of every batch norm by the plain average over all batches that
// `batches` hands out (base view; mean and unbiased variance of each, in training mode, without
// gradients). Modes are as before afterwards. A tower that no batch reaches keeps its statistics.
// Throws std::runtime_error if there is no batch.
void reestimate_batch_norm(Towers& towers, const BatchSource& batches);

}  // namespace avbench::encoders
