#include "app/step_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "train/step.h"

namespace avbench::app {
namespace {

std::vector<double> sorted(const std::vector<benchmark::BenchmarkReporter::Run>& runs,
                           const std::string& counter) {
  std::vector<double> values;
  for (const auto& run : runs) {
    const auto found = run.counters.find(counter);
    values.push_back(found == run.counters.end() ? 0 : found->second.value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

const std::vector<const char*>& step_phases() {
  static const std::vector<const char*> phases{train::step_phase::kData,
                                               "video tower",
                                               "audio tower",
                                               train::step_phase::kLoss,
                                               train::step_phase::kBackward,
                                               train::step_phase::kOptimizer,
                                               train::step_phase::kHooks};
  return phases;
}

std::string phase_counter(const std::string& phase, const std::string& percentile) {
  std::string name = phase;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name + "_" + percentile + "_ms";
}

double StepTable::Line::median(const std::string& counter) const {
  const std::vector<double> values = sorted(repetitions, counter);
  return values[values.size() / 2];
}

std::string StepTable::Line::text(const std::string& counter, double scale, int digits) const {
  if (!repetitions.front().counters.contains(counter)) return "";
  return fmt::format("{:.{}f}", scale * median(counter), digits);
}

double StepTable::Line::spread() const {
  const std::vector<double> values = sorted(repetitions, counter::kClips);
  return (values.back() - values.front()) / values[values.size() / 2];
}

bool StepTable::ReportContext(const Context&) { return true; }

void StepTable::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration) continue;
    const std::string full = run.run_name.function_name;
    const std::string name = full.substr(full.find('/') + 1);
    if (lines_.empty() || lines_.back().name != name) lines_.push_back({name, {}});
    lines_.back().repetitions.push_back(run);
  }
}

void StepTable::Finalize() {
  if (lines_.empty()) return;
  size_t name_width = 6;
  for (const Line& line : lines_) name_width = std::max(name_width, line.name.size());
  const bool bare = lines_.front().name == "bare";
  fmt::print(
      "{:{}}  {:>8} {:>7} {:>6} {:>6} {:>6} {:>6} {:>8} {:>6} {:>6} {:>6} {:>8} {:>8} {:>9} "
      "{:>6}\n",
      "method", name_width, "clips/s", "spread", "data", "video", "audio", "loss", "backward",
      "optim.", "hooks", "x bare", "peak MiB", "params M", "GFLOP/clip", "% peak");
  for (const Line& line : lines_) {
    fmt::print("{:{}}  {:>8.2f} {:>6.1f}% ", line.name, name_width, line.median(counter::kClips),
               100 * line.spread());
    for (const char* phase : step_phases()) {
      const bool wide = std::string_view(phase) == train::step_phase::kBackward;
      fmt::print("{:>{}} ", line.text(phase_counter(phase, "p50"), 1, 1), wide ? 8 : 6);
    }
    const double of_bare =
        bare ? lines_.front().median(counter::kClips) / line.median(counter::kClips) : 0;
    fmt::print("{:>6} {:>8.0f} {:>8} {:>9} {:>6}\n", bare ? fmt::format("{:.2f}", of_bare) : "",
               line.median(counter::kPeak), line.text(counter::kParameters, 1e-6, 2),
               line.text(counter::kFlops, 1, 2), line.text(counter::kGemmShare, 100, 0));
  }
  fmt::print(
      "\nPhases are medians in ms. bare: a step of the two towers alone; x bare: the time of "
      "a step against it. forward: the two towers in evaluation, without gradients. "
      "GFLOP/clip are the convolutions', counted as direct sums; % peak is their rate over this "
      "machine's matrix product, and passes 100 where fewer multiplications do.\n");
}

}  // namespace avbench::app
