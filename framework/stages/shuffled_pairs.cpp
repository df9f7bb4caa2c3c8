#include "stages/shuffled_pairs.h"

#include <ATen/ATen.h>

namespace avbench::stages {

Batch with_other_audio(Batch batch) {
  for (auto& [name, view] : batch.audio) {
    view = view.roll(1, 0).contiguous(view.suggest_memory_format());
  }
  return batch;
}

}  // namespace avbench::stages
