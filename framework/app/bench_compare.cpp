// avbench bench compare A B: two results of `bench ... --json`, repetition against repetition.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "io/error.h"
#include "io/json.h"
#include "report/rank_test.h"

namespace avbench::app {
namespace {

using Samples = std::map<std::string, std::vector<double>>;

// clips_per_second, or passes a second, of each repetition, by the benchmark's name.
Samples read_samples(const std::string& file) {
  const io::Json report = io::read_json(file);
  if (!report.is_object() || !report.contains("benchmarks")) {
    throw io::UserError(
        file + ": there is no 'benchmarks'; expected what `avbench bench ... --json` prints");
  }
  Samples samples;
  for (const io::Json& run : report["benchmarks"]) {
    if (run.value("run_type", "iteration") != "iteration") continue;
    const double rate = run.contains("clips_per_second") ? run["clips_per_second"].get<double>()
                                                         : 1 / run.at("real_time").get<double>();
    samples[run.at("run_name").get<std::string>()].push_back(rate);
  }
  return samples;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const std::string& before, const std::string& after) {
  const Samples a = read_samples(before), b = read_samples(after);
  fmt::print("{:40} {:>8} {:>8} {:>12}\n", "speed of B over A", "ratio", "p", "repetitions");
  int64_t shared = 0;
  for (const auto& [name, first] : a) {
    const auto second = b.find(name);
    if (second == b.end()) continue;
    ++shared;
    const report::RankTest test = report::mann_whitney(first, second->second);
    fmt::print("{:40} {:>8.3f} {:>8.3f} {:>12}\n", name, median(second->second) / median(first),
               test.p_value, fmt::format("{} and {}", first.size(), second->second.size()));
  }
  if (shared == 0) {
    throw io::UserError(before + " and " + after + " have no benchmark in common");
  }
  fmt::print(
      "\nratio: of the medians; above 1, B is faster. p: two-sided U-test that a difference as "
      "large "
      "comes by chance; with three repetitions each it is never below 0.1.\n");
}

}  // namespace

void add_bench_compare_command(CLI::App& bench) {
  auto* command = bench.add_subcommand(
      "compare", "Two results of `bench ... --json`: ratios, and their U-test");
  const auto files = std::make_shared<std::pair<std::string, std::string>>();
  command->add_option("A", files->first, "JSON of before")->required();
  command->add_option("B", files->second, "JSON of after")->required();
  command->callback([files] { compare(files->first, files->second); });
}

}  // namespace avbench::app
