// Intra-negatives: clips of a sample's own frames whose order or motion is destroyed.
#pragma once

#include <string>

#include "avbench/batch.h"
#include "avbench/context.h"

namespace avbench::iic {

// One for each clip [B, C, T, H, W], in the clip's layout. kind: "repeat", one random frame
// throughout; "shuffle", two different ones of four chunks swapped (of fewer chunks if there are
// fewer frames). Drawn by sample. Throws UserError on clips of one frame.
Tensor intra_negatives(const Tensor& clips, const std::string& kind, const Tensor& index,
                       const StepContext& context);

}  // namespace avbench::iic
