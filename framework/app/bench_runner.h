// Runs registered Google Benchmarks with a reporter of the user's choice.
#pragma once

#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace avbench::app {

struct BenchOptions {
  bool json = false;
  double min_seconds = 2;
  int64_t repetitions = 3;
};

// Adds --json, --min-time and --repetitions to a command.
std::shared_ptr<BenchOptions> add_bench_options(CLI::App& command);

// Runs and clears what was registered; the report goes to standard output: JSON if asked for, else
// `table`'s, or Google Benchmark's own where that is null.
void run_benchmarks(const BenchOptions& options, benchmark::BenchmarkReporter* table = nullptr);

}  // namespace avbench::app
