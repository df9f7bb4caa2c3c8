#include "app/sweep_runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/load.h"
#include "io/error.h"
#include "io/json_fields.h"
#include "protocol/finetune.h"
#include "protocol/run_folder.h"
#include "protocol/sweep.h"

namespace avbench {
namespace fs = std::filesystem;
namespace {

// Rows by position: a name may hold dots.
std::string assignment(size_t row, const std::string& setting) {
  return fmt::format("rows.{}.{}", row, setting);
}

bool wanted(const ExperimentOptions& options, const RowConfig& row) {
  const auto& rows = options.run.rows;
  const bool has_trials = (!row.method.empty() && row.pretrained) || !row.sweep.empty();
  return has_trials && (rows.empty() || std::count(rows.begin(), rows.end(), row.name) > 0);
}

// Nothing where the trial failed.
std::optional<double> validation_of(const PlannedRun& run) {
  const auto finetuned = read_result<FinetuneResult>(run.folder / "finetune.json");
  if (!finetuned) return std::nullopt;
  return finetuned->validation;
}

}  // namespace

void run_sweep(ExperimentOptions& options, int64_t trials) {
  const Experiment experiment = load_experiment(options.target, options.sets, options.overlays);
  std::vector<SweptRow> swept;
  std::vector<size_t> positions;
  for (size_t i = 0; i < experiment.rows.size(); ++i) {
    const RowConfig& row = experiment.rows[i];
    if (!wanted(options, row)) continue;
    const auto seed = static_cast<uint64_t>(experiment.seeds.front());
    swept.push_back({.row = row.name});
    for (Trial& trial : draw_trials(row, experiment.varies, trials, seed)) {
      swept.back().trials.push_back({.settings = std::move(trial)});
    }
    positions.push_back(i);
  }
  if (swept.empty()) {
    throw UserError("--sweep: no row has a method that is pretrained, or a `sweep` of its own");
  }

  for (int64_t trial = 0; trial < trials; ++trial) {
    ExperimentOptions one = options;
    one.sets.push_back(fmt::format("name={}.trial-{}", experiment.name, trial));
    one.run = {.test = false, .rows = {}, .seeds = {experiment.seeds.front()}};
    for (size_t i = 0; i < swept.size(); ++i) {
      one.run.rows.push_back(swept[i].row);
      for (const std::string& setting : swept[i].trials[trial].settings) {
        one.sets.push_back(assignment(positions[i], setting));
      }
    }
    spdlog::info("trial {} of {}", trial + 1, trials);
    ExperimentRun run = open_experiment(one, options.run.test);
    for (const std::string& failure : run.run(one.run, [](const PlannedRun&) {})) {
      spdlog::warn("this trial counts as tried: {}", failure);
    }
    for (const PlannedRun& planned : run.plan(one.run)) {
      for (SweptRow& row : swept) {
        if (row.row == planned.row->name) row.trials[trial].validation = validation_of(planned);
      }
    }
  }
  for (size_t i = 0; i < swept.size(); ++i) {
    swept[i].choose();
    const SweptTrial& best = swept[i].trials[swept[i].chosen];
    for (const std::string& setting : best.settings)
      options.sets.push_back(assignment(positions[i], setting));
    spdlog::info("{}: chose {} ({:.2f} % on validation data)", swept[i].row,
                 fmt::join(best.settings, ", "), 100 * best.validation.value());
    if (!swept[i].ties.empty()) {
      spdlog::warn("{}: {} other trials are as good; the first was taken", swept[i].row,
                   swept[i].ties.size());
    }
    for (const std::string& edge : swept[i].edges) {
      spdlog::warn("{}: {} tried: a value beyond it may be better", swept[i].row, edge);
    }
  }
  const fs::path folder = fs::path(experiment.run.results) / experiment.name;
  fs::create_directories(folder);
  const Sweep sweep{.trials = trials, .rows = std::move(swept)};
  write_json(folder / "sweep.json", write_fields(sweep));
}

}  // namespace avbench
