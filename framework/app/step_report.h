// The table of `avbench bench step`.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace avbench::app {

// Names of the counters of a benchmark "step/METHOD" that the table shows.
namespace counter {
inline constexpr const char* kClips = "clips_per_second";
inline constexpr const char* kPeak = "peak_MiB";
inline constexpr const char* kParameters = "parameters";
inline constexpr const char* kFlops = "GFLOP_per_clip";
inline constexpr const char* kGemmShare = "share_of_GEMM_peak";
}  // namespace counter

// Phases of a step in their order, as the trace calls them.
const std::vector<const char*>& step_phases();

// "video tower", "p50": "video_tower_p50_ms".
std::string phase_counter(const std::string& phase, const std::string& percentile);

// One line a method, medians over the repetitions. A first benchmark "step/bare" is what the
// others' own share is taken against.
class StepTable : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  struct Line {
    std::string name;
    std::vector<Run> repetitions;
    double median(const std::string& counter) const;
    // The median times `scale`; empty where this benchmark has no such counter.
    std::string text(const std::string& counter, double scale, int digits) const;
    double spread() const;  // of clips a second, largest less smallest over the median
  };

  std::vector<Line> lines_;
};

}  // namespace avbench::app
