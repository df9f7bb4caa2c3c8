#include "experiment/results_table.h"

#include <map>

#include "experiment/sweep.h"

namespace avbench::experiment {

report::WrittenTable write_results_table(const ExperimentRun& run, bool tested) {
  const std::map<std::string, int64_t> trials = swept_trials(run.folder());
  std::vector<report::TableEntry> entries;
  for (const RunSpec& spec : run.plan({})) {
    const auto swept = trials.find(spec.row->name);
    entries.push_back({.row = spec.row->name,
                       .summary = run.summary(spec, tested),
                       .paper = spec.row->paper,
                       .trials = swept == trials.end() ? 0 : swept->second,
                       .control_of = spec.row->control_of,
                       .stale = spec.stale});
  }
  return report::write_table(run.folder(), tested ? "table" : "validation", entries,
                             run.experiment().name, run.experiment().description);
}

}  // namespace avbench::experiment
