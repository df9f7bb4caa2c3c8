#include "experiment/experiment_run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "experiment/dry_run.h"
#include "io/error.h"
#include "runtime/interrupt.h"

namespace avbench::experiment {
namespace {

std::string title_of(const RunSpec& run) { return fmt::format("{} s{}", run.row->name, run.seed); }

}  // namespace

std::vector<std::string> ExperimentRun::run(
    const RunOptions& options, const std::function<void(const RunSpec&)>& row_done) const {
  const auto runs = plan(options);
  std::vector<std::string> failures;
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string title = fmt::format("[{}/{}] {}", i + 1, runs.size(), title_of(runs[i]));
    const SingleRun one(rows_, runs[i], title);
    if (one.done(options)) {
      spdlog::info("{}: already finished", title);
      one.warn_if_stale();
      row_done(runs[i]);
      continue;
    }
    try {
      one.run(options, cache_);
      row_done(runs[i]);
    } catch (const io::UserError&) {
      throw;
    } catch (const runtime::Interrupted&) {
      throw;
    } catch (const std::exception& error) {
      spdlog::error("{}: {}", title, error.what());
      failures.push_back(error.what());
    }
  }
  return failures;
}

std::optional<report::RunSummary> ExperimentRun::summary(const RunSpec& run, bool tested) const {
  return SingleRun(rows_, run, title_of(run)).summary(tested);
}

SplitFeatures ExperimentRun::features(const RunSpec& run, data::Split split, bool finetuned) const {
  return SingleRun(rows_, run, title_of(run)).features(split, finetuned);
}

std::string ExperimentRun::describe(const RunOptions& options, bool probe) const {
  return describe_plan(rows_, cache_, options, probe);
}

}  // namespace avbench::experiment
