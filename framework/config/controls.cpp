#include "config/controls.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/reader.h"
#include "config/varies.h"

namespace avbench::config {
namespace {

constexpr const char* kPairs = "protocol.pretrain.pairs";

RowConfig shuffled(const RowConfig& row) {
  RowConfig control = row;
  control.name += " shuffled";
  control.control_of = row.name;
  control.protocol.pretrain.pairs = PretrainConfig::Pairs::kShuffled;
  control.paper.reset();
  control.sweep.clear();  // it takes the settings that are chosen for its row
  return control;
}

}  // namespace

void add_controls(Experiment& experiment, const Where& where, Problems& problems) {
  if (experiment.controls == Experiment::Controls::kNone) return;
  experiment.controls = Experiment::Controls::kNone;
  if (!covers(experiment.varies, kPairs)) experiment.varies.emplace_back(kPairs);
  const std::vector<RowConfig> rows = experiment.rows;
  for (const RowConfig& row : rows) {
    if (row.method.empty() || !row.pretrained || !row.control_of.empty()) continue;
    experiment.rows.push_back(shuffled(row));
    const std::string& name = experiment.rows.back().name;
    const int64_t batch = row.protocol.pretrain.batch_size;
    if (batch < 2 && batch != experiment.protocol.pretrain.batch_size) {
      problems.add(where, "row '" + row.name +
                              "': protocol.pretrain.batch_size: got 1, expected at "
                              "least 2 for its control");
    }
    if (!is_name(name, kRowPunctuation)) {
      problems.add(where, "controls: the control of row '" + row.name + "' would be named '" +
                              name + "', expected at most 100 characters: shorten the row's name");
    }
    if (std::any_of(rows.begin(), rows.end(),
                    [&](const RowConfig& other) { return other.name == name; })) {
      problems.add(where, "controls: the control of row '" + row.name + "' would be named '" +
                              name + "', as another row is: rename that one");
    }
  }
}

}  // namespace avbench::config
