// avbench bench all: every benchmark in turn, each in a process of its own, into one file.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/commands.h"
#include "experiment/environment.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "io/strings.h"

namespace avbench::app {
namespace {

struct AllArguments {
  std::string out, data;
  std::vector<std::string> shape;  // options of `bench step`
  double min_seconds = 2;
  int64_t repetitions = 3;
};

[[noreturn]] void become(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

// Standard output of `avbench ARGUMENTS...`; its messages go where ours go.
std::string output_of(const std::vector<std::string>& arguments) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe for a benchmark");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process for a benchmark");
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    become(arguments);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error("`" + io::join(arguments, " ") + "` failed; its message stands above");
  }
  return text;
}

void run(const AllArguments& arguments) {
  io::Json result = {{"environment", experiment::environment(c10::kCPU)},
                     {"version", AVBENCH_VERSION}};
  const auto measure = [&](const char* name, std::vector<std::string> command) {
    spdlog::info("bench all: {}", name);
    command.insert(command.begin(), {"avbench", "bench"});
    command.insert(command.end(), {"--json", "--min-time", fmt::format("{}", arguments.min_seconds),
                                   "--repetitions", std::to_string(arguments.repetitions)});
    const io::Json report = io::Json::parse(output_of(command));
    result["context"] = report.at("context");
    result[name] = report.at("benchmarks");
  };
  const auto step = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command{"step"};
    command.insert(command.end(), arguments.shape.begin(), arguments.shape.end());
    command.insert(command.end(), more.begin(), more.end());
    return command;
  };
  measure("step", step({}));
  measure("loss", {"loss", "--batch", "16", "64", "256", "--dim", "128"});
  if (!arguments.data.empty()) {
    measure("loader", {"loader", arguments.data});
    measure("step with data", step({"--data", arguments.data}));
  }
  io::write_file_atomically(arguments.out, std::string_view(result.dump(1) + "\n"));
  fmt::print("written to {}\n", arguments.out);
}

}  // namespace

void add_bench_all_command(CLI::App& bench) {
  auto* command = bench.add_subcommand(
      "all", "Steps and losses of all methods, and the loader of a data set, into one JSON file");
  const auto arguments = std::make_shared<AllArguments>();
  command->add_option("-o,--out", arguments->out, "the file")->required();
  command->add_option("--data", arguments->data, "a data set; without one nothing is loaded");
  command->add_option("--min-time", arguments->min_seconds, "seconds a repetition")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  command->add_option("--repetitions", arguments->repetitions, "of each benchmark")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  for (const char* name : {"--encoder", "--width", "--batch", "--frames", "--size", "--threads"}) {
    command->add_option_function<std::string>(
        name,
        [arguments, name](const std::string& value) {
          arguments->shape.insert(arguments->shape.end(), {name, value});
        },
        "as of `bench step`");
  }
  command->callback([arguments] { run(*arguments); });
}

}  // namespace avbench::app
