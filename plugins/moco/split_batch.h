// Batch norm over parts of the batch, in the place of ShuffleBN: the statistics that a key is
// normalised with are not those of its query. Section 3.3, arXiv:1911.05722.
#pragma once

#include <functional>

#include "avbench/batch.h"
#include "avbench/context.h"

namespace avbench::moco {

// encode() of the batch in `parts` parts, one after the other, the rows in the batch's order again.
// Which samples share a part is drawn by sample, whatever the batch's order. Throws UserError if
// there are more parts than samples.
Pair encode_in_parts(const Batch& batch, const StepContext& context, int64_t parts,
                     const std::function<Pair(const Batch&)>& encode);

}  // namespace avbench::moco
