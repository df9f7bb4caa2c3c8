#include "app/bench_runner.h"

#include <iostream>

namespace avbench::app {
namespace {

// Without the library's own context: it would warn that Debian builds it with assertions, which
// cost a benchmark some nanoseconds an iteration. `avbench doctor` says what the processor is.
class Console : public benchmark::ConsoleReporter {
 public:
  Console() : ConsoleReporter(OO_Tabular) {}
  bool ReportContext(const Context& context) override {
    name_field_width_ = context.name_field_width;
    printed_header_ = false;
    prev_counters_.clear();
    return true;
  }
};

}  // namespace

std::shared_ptr<BenchOptions> add_bench_options(CLI::App& command) {
  auto options = std::make_shared<BenchOptions>();
  command.add_flag("--json", options->json, "Google Benchmark's JSON");
  command.add_option("--min-time", options->min_seconds, "seconds a repetition")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  command
      .add_option("--repetitions", options->repetitions, "repetitions; median and spread follow")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  return options;
}

void run_benchmarks(const BenchOptions& options, benchmark::BenchmarkReporter* table) {
  // The library takes its settings as command-line arguments.
  std::vector<std::string> texts = {
      "avbench", "--benchmark_min_time=" + std::to_string(options.min_seconds),
      "--benchmark_repetitions=" + std::to_string(options.repetitions),
      "--benchmark_counters_tabular=true"};
  // A table of ours and a comparison by rank need each repetition.
  if (options.repetitions > 1 && !options.json && table == nullptr) {
    texts.emplace_back("--benchmark_report_aggregates_only=true");
  }
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  auto count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (options.json) {
    benchmark::JSONReporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
  } else if (table != nullptr) {
    benchmark::RunSpecifiedBenchmarks(table);
  } else {
    Console reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
  }
  benchmark::ClearRegisteredBenchmarks();
}

}  // namespace avbench::app
