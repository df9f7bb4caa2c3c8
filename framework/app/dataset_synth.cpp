// avbench dataset synth DIR: renders the synthetic data set.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "app/commands.h"
#include "io/error.h"
#include "runtime/interrupt.h"
#include "synth/dataset.h"

namespace avbench::app {
namespace {

struct SynthArguments {
  std::string folder, size = "48x48";
  synth::SynthOptions options;
  bool json = false;
};

void parse_size(const std::string& text, synth::SynthOptions& options) {
  int end = 0;
  if (std::sscanf(text.c_str(), "%dx%d%n", &options.width, &options.height, &end) != 2 ||
      static_cast<size_t>(end) != text.size()) {
    throw io::UserError(fmt::format("--size: got '{}', expected WIDTHxHEIGHT such as 48x48", text));
  }
}

// A line each tenth: readable in a terminal and in a log.
void print_progress(int64_t done, int64_t total) {
  runtime::check_interrupt("rendering");
  if (done * 10 / total != (done - 1) * 10 / total) {
    fmt::print(stderr, "rendered {} of {} files\n", done, total);
  }
}

void run_synth(SynthArguments& arguments) {
  parse_size(arguments.size, arguments.options);
  runtime::install_interrupt_handler();
  const int threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 16);
  const synth::SynthOutcome outcome =
      synth::write_synth_dataset(arguments.folder, arguments.options, threads, print_progress);
  const bool rendered = outcome == synth::SynthOutcome::kRendered;
  if (arguments.json) {
    io::Json result = synth::describe_synth(arguments.options);
    result["folder"] = arguments.folder;
    result["rendered"] = rendered;
    fmt::print("{}\n", result.dump());
  } else {
    fmt::print("{}: {}\n", arguments.folder, rendered ? "rendered" : "complete already");
  }
}

}  // namespace

void add_dataset_synth_command(CLI::App& dataset) {
  auto* command = dataset.add_subcommand(
      "synth", "Render the synthetic data set: MP4 files whose video and audio tell the class");
  const auto arguments = std::make_shared<SynthArguments>();
  synth::SynthOptions& options = arguments->options;
  command->add_option("folder", arguments->folder, "Where to; new, empty, or the same data set")
      ->required();
  command->add_option("--classes", options.classes, "Number of classes")->capture_default_str();
  command->add_option("--train", options.files[0], "Training files")->capture_default_str();
  command->add_option("--val", options.files[1], "Validation files")->capture_default_str();
  command->add_option("--test", options.files[2], "Test files")->capture_default_str();
  command->add_option("--seed", options.seed, "Another seed gives other files")
      ->capture_default_str();
  command->add_option("--size", arguments->size, "WIDTHxHEIGHT in pixels")->capture_default_str();
  command->add_option("--seconds", options.seconds, "Length of a file")->capture_default_str();
  command->add_option("--fps", options.fps, "Frames a second")->capture_default_str();
  command->add_flag("--shuffle-pairs", options.shuffle_pairs,
                    "Give each training video the audio of another training file");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  command->callback([arguments] { run_synth(*arguments); });
}

}  // namespace avbench::app
