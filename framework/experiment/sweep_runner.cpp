#include "experiment/sweep_runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "config/load.h"
#include "experiment/sweep.h"
#include "io/error.h"
#include "stages/finetune.h"
#include "train/run_layout.h"
#include "train/stored_result.h"

namespace avbench::experiment {
namespace fs = std::filesystem;
namespace {

// Rows by position: a name may hold dots.
std::string assignment(size_t row, const std::string& setting) {
  return fmt::format("rows.{}.{}", row, setting);
}

bool wanted(const ExperimentRequest& request, const config::RowConfig& row) {
  const auto& rows = request.run.rows;
  // A control without a grid takes what is chosen for its row.
  const bool pretrained = !row.method.empty() && row.pretrained && row.control_of.empty();
  const bool has_trials = pretrained || !row.sweep.empty();
  return has_trials && (rows.empty() || std::count(rows.begin(), rows.end(), row.name) > 0);
}

void report(const SweptRow& row) {
  const SweptTrial& best = row.trials[row.chosen];
  spdlog::info("{}: chose trial-{}, {} ({:.2f} % on validation data)", row.row, row.chosen,
               fmt::join(best.settings, ", "), 100 * best.validation.value());
  if (!row.ties.empty()) {
    std::vector<std::string> others;
    for (const uint64_t tie : row.ties) others.push_back(fmt::format("trial-{}", tie));
    spdlog::warn("{}: as good: {}; the first was taken", row.row, fmt::join(others, ", "));
  }
  for (const std::string& edge : row.edges) {
    spdlog::warn("{}: {} tried: a value beyond it may be better", row.row, edge);
  }
}

// Nothing where the trial failed.
std::optional<double> validation_of(const RunSpec& run) {
  const auto finetuned =
      train::read_result<stages::FinetuneResult>(run.folder / train::run_layout::kFinetuneResult);
  if (!finetuned) return std::nullopt;
  return finetuned->validation;
}

}  // namespace

ExperimentSweep::ExperimentSweep(const ExperimentRequest& request, int64_t trials)
    : trials_(trials) {
  std::vector<std::string> sets = request.sets;
  sets.emplace_back("controls=none");
  const config::Experiment experiment =
      config::load_experiment(request.target, sets, request.overlays);
  name_ = experiment.name;
  folder_ = fs::path(experiment.run.results) / experiment.name;
  seed_ = experiment.seeds.front();
  for (size_t i = 0; i < experiment.rows.size(); ++i) {
    const config::RowConfig& row = experiment.rows[i];
    if (!wanted(request, row)) continue;
    rows_.push_back({.row = row.name});
    positions_.push_back({i});
    for (size_t j = 0; j < experiment.rows.size(); ++j) {
      const config::RowConfig& other = experiment.rows[j];
      if (other.control_of == row.name && other.sweep.empty()) positions_.back().push_back(j);
    }
    const auto seed = static_cast<uint64_t>(seed_);
    for (Trial& trial : draw_trials(row, experiment.varies, trials, seed)) {
      rows_.back().trials.push_back({.settings = std::move(trial)});
    }
  }
  if (rows_.empty()) {
    throw io::UserError("--sweep: no row has a method that is pretrained, or a `sweep` of its own");
  }
}

std::string ExperimentSweep::describe() const {
  std::string text = fmt::format(
      "sweep: {} trials a row with seed {}, each a pretraining and a finetuning, without a test\n",
      trials_, seed_);
  for (const SweptRow& row : rows_) {
    for (size_t i = 0; i < row.trials.size(); ++i) {
      text +=
          fmt::format("  {} trial-{}: {}\n", row.row, i, fmt::join(row.trials[i].settings, ", "));
    }
  }
  return text;
}

// One trial of every row, in a folder of its own.
void ExperimentSweep::run_trial(const ExperimentRequest& request, int64_t trial) {
  ExperimentRequest one = request;
  one.sets.push_back(fmt::format("name={}.trial-{}", name_, trial));
  one.run = {.test = false, .rows = {}, .seeds = {seed_}};
  for (size_t i = 0; i < rows_.size(); ++i) {
    one.run.rows.push_back(rows_[i].row);
    for (const std::string& setting : rows_[i].trials[trial].settings) {
      one.sets.push_back(assignment(positions_[i].front(), setting));
    }
  }
  spdlog::info("trial-{} ({} of {})", trial, trial + 1, trials_);
  ExperimentRun run = open_experiment(one, request.run.test);
  for (const std::string& failure : run.run(one.run, [](const RunSpec&) {})) {
    spdlog::warn("this trial counts as tried: {}", failure);
  }
  for (const RunSpec& spec : run.plan(one.run)) {
    for (SweptRow& row : rows_) {
      if (row.row == spec.row->name) row.trials[trial].validation = validation_of(spec);
    }
  }
}

void ExperimentSweep::run(ExperimentRequest& request) {
  for (int64_t trial = 0; trial < trials_; ++trial) run_trial(request, trial);
  for (size_t i = 0; i < rows_.size(); ++i) {
    rows_[i].choose();
    report(rows_[i]);
    for (const std::string& setting : rows_[i].trials[rows_[i].chosen].settings) {
      for (const size_t position : positions_[i]) {
        request.sets.push_back(assignment(position, setting));
      }
    }
  }
  write_sweep(folder_, {.trials = trials_, .rows = rows_});
}

}  // namespace avbench::experiment
