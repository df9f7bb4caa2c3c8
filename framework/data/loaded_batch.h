// A batch as the loader delivers it.
#pragma once

#include <vector>

#include "avbench/batch.h"
#include "data/sampling.h"

namespace avbench::data {

// The tensors stay valid as long as they are held; their memory is used again afterwards.
struct LoadedBatch {
  Batch batch;                          // index: in the split
  Tensor labels;                        // [B] int64, class ids
  std::vector<SampleRequest> requests;  // by row
};

}  // namespace avbench::data
