// One experiment as typed values: a configuration file.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/protocol_config.h"
#include "config/row_config.h"
#include "config/run_config.h"

namespace avbench::config {

struct Experiment {
  enum class Controls { kNone, kShuffledPairs };
  friend constexpr auto words(Controls) {
    return std::array{Word{Controls::kNone, "none"},
                      Word{Controls::kShuffledPairs, "shuffled_pairs"}};
  }

  std::string name;
  std::string description;
  std::vector<int64_t> seeds{0};
  std::vector<std::string> varies;  // "protocol.clip.frames", or a section: what a table is about
  Controls controls = Controls::kNone;
  ProtocolConfig protocol;
  TrainingConfig training;
  RunConfig run;
  std::vector<RowConfig> rows;
};
template <class V>
void fields(V& v, io::MaybeConst<Experiment> auto& c) {
  v("name", c.name, "name of the experiment, and of its folder under results");
  v("description", c.description, "one or two sentences, printed above the table");
  v("seeds", c.seeds, Range{0, 4294967295.0}, "a run of every row for each");
  v.names("varies", c.varies,
          "keys or sections of the protocol that differ between rows; its hash leaves them out");
  v("controls", c.controls,
    "shuffled_pairs: every row that is pretrained gets a control, a row '<name> shuffled' with "
    "protocol.pretrain.pairs: shuffled and all else alike");
  v.section("protocol", c.protocol);
  v.section("training", c.training);
  v.section("run", c.run);
  v.rows("rows", c.rows, c);
}

}  // namespace avbench::config
