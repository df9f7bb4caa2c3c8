// One line of the comparison: a method, or a supervised baseline from random weights.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "config/modalities.h"
#include "config/optimizer_config.h"
#include "config/protocol_config.h"
#include "config/value.h"

namespace avbench::config {

struct RowConfig {
  enum class Baseline { kNone, kVideo, kAudio, kBoth };
  friend constexpr auto words(Baseline) {
    return std::array{Word{Baseline::kNone, ""}, Word{Baseline::kVideo, "video"},
                      Word{Baseline::kAudio, "audio"}, Word{Baseline::kBoth, "both"}};
  }

  std::string name;
  std::string method;                       // a plugin's name; empty for a baseline
  Baseline baseline = Baseline::kNone;      // video, audio or both; empty for a method
  Modalities modality = Modalities::kBoth;  // what finetuning and test see of a method's towers
  std::vector<Setting> params;              // of the method, checked against its ParamSpecs
  bool pretrained = true;                   // false: the method's fusion on towers as they start
  std::optional<double> paper;              // accuracy in %, as published
  std::string control_of;                   // another row's name: this one should fall short of it
  std::vector<Setting> sweep;  // values to try, by key of the row: "params.temperature"
  TrainingConfig pretrain;     // starts from the experiment's `training`
  ProtocolConfig protocol;     // the experiment's, with the row's own values of `varies`
};
template <class V>
void fields(V& v, io::MaybeConst<RowConfig> auto& c) {
  v("name", c.name, "name of the row, unique; also of its folder");
  v("method", c.method, "name of a plugin");
  v("baseline", c.baseline, "supervised from random weights");
  v("modality", c.modality, "what finetuning and test see");
  v.settings("params", c.params, "parameters of the method (see `avbench describe METHOD`)");
  v("pretrained", c.pretrained,
    "false: no pretraining; finetuning starts from the towers' first weights, with the method's "
    "fusion");
  v("paper", c.paper, Range{0, 100}, "published accuracy in %, printed beside the measured one");
  v("control_of", c.control_of,
    "name of a row that this one is a control of, with `protocol.pretrain.pairs: shuffled`: the "
    "table says where that row is no better");
  v.settings("sweep", c.sweep,
             "for `compare --sweep`: lists of values to try, by key, such as "
             "`params.temperature: [0.1, 0.5]` or `pretrain.optimizer.lr: [0.01, 0.1]`; keys of "
             "the protocol where `varies` names them");
  v.overrides("pretrain", c.pretrain, "training", "keys of `training` that this row changes");
  v.overrides("protocol", c.protocol, "protocol",
              "keys of `protocol` that this row changes, all of them named by `varies`");
}

}  // namespace avbench::config
