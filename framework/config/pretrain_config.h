// What pretraining shares between all methods; optimiser and schedule are a row's own.
#pragma once

#include <array>
#include <cstdint>

#include "config/section.h"

namespace avbench::config {

struct PretrainConfig {
  enum class Select { kLast, kKnn };
  friend constexpr auto words(Select) {
    return std::array{Word{Select::kLast, "last"}, Word{Select::kKnn, "knn"}};
  }
  enum class Pairs { kOwn, kShuffled };
  friend constexpr auto words(Pairs) {
    return std::array{Word{Pairs::kOwn, "own"}, Word{Pairs::kShuffled, "shuffled"}};
  }

  int64_t epochs = 300;
  int64_t batch_size = 16;
  double clip_norm = 0;
  int64_t validate_every = 1;
  Select select = Select::kLast;
  Pairs pairs = Pairs::kOwn;
};
template <class V>
void fields(V& v, io::MaybeConst<PretrainConfig> auto& c) {
  v("epochs", c.epochs, Range{0, 100000}, "passes over the training split");
  v("batch_size", c.batch_size, Range{1, 65536},
    "samples a step; the last partial batch is dropped");
  v("clip_norm", c.clip_norm, Range{0, 1e9}, "clips the gradient's global norm; 0: no clipping");
  v("validate_every", c.validate_every, Range{1, 100000},
    "epochs between two looks at validation data");
  v("select", c.select,
    "checkpoint that finetuning starts from: the last, or the one whose features classify the "
    "validation data best by their nearest labelled training samples");
  v("pairs", c.pairs,
    "each video with its own audio, or, as a control, with that of the sample before it in the "
    "batch");
}

}  // namespace avbench::config
