// Finetuning on labels.
#pragma once

#include <array>
#include <cstdint>

#include "config/optimizer_config.h"
#include "config/section.h"

namespace avbench::config {

struct FinetuneConfig {
  enum class Scope { kAll, kFrozen };
  friend constexpr auto words(Scope) {
    return std::array{Word{Scope::kAll, "all"}, Word{Scope::kFrozen, "frozen"}};
  }
  enum class Fusion { kMethod, kConcat };
  friend constexpr auto words(Fusion) {
    return std::array{Word{Fusion::kMethod, "method"}, Word{Fusion::kConcat, "concat"}};
  }
  enum class Select { kAccuracy, kLoss, kLast };
  friend constexpr auto words(Select) {
    return std::array{Word{Select::kAccuracy, "accuracy"}, Word{Select::kLoss, "loss"},
                      Word{Select::kLast, "last"}};
  }

  int64_t epochs = 150;
  int64_t batch_size = 16;
  Scope scope = Scope::kAll;
  Fusion fusion = Fusion::kMethod;
  int64_t hidden = 512;
  double dropout = 0.7;
  double clip_norm = 0;
  int64_t validate_every = 1;
  Select select = Select::kAccuracy;
  OptimizerConfig optimizer{.weight_decay = 5e-3};
  ScheduleConfig schedule;
};
template <class V>
void fields(V& v, io::MaybeConst<FinetuneConfig> auto& c) {
  v("epochs", c.epochs, Range{1, 100000}, "passes over the labelled training samples");
  v("batch_size", c.batch_size, Range{1, 65536}, "samples a step");
  v("scope", c.scope, "what is trained: everything, or the classifier only");
  v("fusion", c.fusion, "features seen: the method's fuse, or concatenation");
  v("hidden", c.hidden, Range{0, 65536}, "hidden units of the classifier; 0: one linear layer");
  v("dropout", c.dropout, Range{0, 0.99}, "before the classifier's last layer");
  v("clip_norm", c.clip_norm, Range{0, 1e9}, "clips the gradient's global norm; 0: no clipping");
  v("validate_every", c.validate_every, Range{1, 100000}, "epochs between two validations");
  v("select", c.select,
    "checkpoint that is tested: best validation accuracy, best validation loss, or the last");
  v.section("optimizer", c.optimizer);
  v.section("schedule", c.schedule);
}

}  // namespace avbench::config
