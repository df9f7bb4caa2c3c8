// avbench bench loader SOURCE: clips a second, decoding for every batch and from memory.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/bench_runner.h"
#include "app/commands.h"
#include "app/data_options.h"
#include "app/loader_benchmark.h"
#include "data/index_cache.h"
#include "io/atomic_file.h"
#include "io/csv.h"
#include "io/error.h"
#include "runtime/interrupt.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;

struct LoaderArguments {
  std::string source, modality = "both";
  int64_t workers = 1, batch = 16, clips = 96;
};

bool is_folder(const fs::path& path) {
  std::error_code unreadable;  // said when it is opened
  return fs::is_directory(path, unreadable);
}

bool is_plain_folder(const fs::path& source) {
  return is_folder(source) &&
         std::none_of(std::begin(data::kSplits), std::end(data::kSplits),
                      [&](data::Split split) { return is_folder(source / to_string(split)); });
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || data::is_left_behind(name) || is_folder(at->path())) continue;
    files.push_back(fs::absolute(at->path()));
  }
  if (error) {
    throw io::UserError(fmt::format("{}: cannot be read: {}", folder.string(), error.message()));
  }
  return files;
}

// A manifest of a folder's files, all in the training split, in a temporary folder.
class PlainFolderManifest {
 public:
  explicit PlainFolderManifest(const fs::path& folder) {
    std::string name = (fs::temp_directory_path() / "avbench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
    folder_ = name;
    std::string text = io::csv_line({"path", "label", "split"});
    for (const fs::path& path : files_of(folder)) {
      text += io::csv_line({path.string(), "none", "train"});
    }
    io::write_file_atomically(file(), std::string_view(text));
  }
  ~PlainFolderManifest() {
    std::error_code ignored;
    fs::remove(data::index_cache_file(file()), ignored);  // the name is never used again
    fs::remove_all(folder_, ignored);
  }
  PlainFolderManifest(const PlainFolderManifest&) = delete;
  PlainFolderManifest& operator=(const PlainFolderManifest&) = delete;

  fs::path file() const { return folder_ / "files.csv"; }

 private:
  fs::path folder_;
};

Views views_of(const std::string& modality) {
  Views views = base_views();
  if (modality == "video") views.pop_back();
  if (modality == "audio") views.erase(views.begin());
  return views;
}

std::shared_ptr<const data::Dataset> open(const config::Experiment& experiment, int64_t cache_mib) {
  config::RunConfig run = experiment.run;
  run.cache_mib = cache_mib;
  auto dataset =
      data::Dataset::open(experiment.protocol.data, experiment.protocol.clip,
                          experiment.protocol.spectrogram, run, reading_progress("reading"));
  if (dataset->size(data::Split::kTrain) == 0) {
    throw io::UserError(
        fmt::format("{}: no usable file in the training split", experiment.protocol.data.source));
  }
  return dataset;
}

// There is nothing to save while measuring.
void let_interrupts_kill() {
  runtime::check_interrupt("reading");
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

void run(const LoaderArguments& arguments, const DataOptions& options, const BenchOptions& bench) {
  config::Experiment experiment = read_settings(options);
  runtime::install_interrupt_handler();
  std::unique_ptr<PlainFolderManifest> manifest;
  if (is_plain_folder(arguments.source)) {
    manifest = std::make_unique<PlainFolderManifest>(arguments.source);
  }
  experiment.protocol.data.source = manifest ? manifest->file().string() : arguments.source;
  const auto add = [&](const char* name, const std::shared_ptr<const data::Dataset>& dataset) {
    register_loader_benchmark(name, {.dataset = dataset,
                                     .views = views_of(arguments.modality),
                                     .batch = arguments.batch,
                                     .clips = arguments.clips,
                                     .workers = static_cast<int>(arguments.workers)});
  };
  add("loader/decode", open(experiment, 0));
  const auto cached = open(experiment, experiment.run.cache_mib);
  if (cached->cache()) add("loader/memory", cached);
  manifest.reset();
  let_interrupts_kill();
  run_benchmarks(bench);
}

}  // namespace

void add_bench_loader_command(CLI::App& bench) {
  auto* command = bench.add_subcommand(
      "loader", "Clips a second of the loader: decoding every time, and from memory");
  const auto arguments = std::make_shared<LoaderArguments>();
  const auto data = add_data_options(*command);
  const auto options = add_bench_options(*command);
  const auto positive = CLI::Range(int64_t{1}, int64_t{1} << 20);
  command
      ->add_option("SOURCE", arguments->source,
                   "a data set (its training split), or a plain folder of files")
      ->required();
  command->add_option("--workers", arguments->workers, "loader threads")
      ->check(CLI::Range(int64_t{1}, int64_t{1024}))
      ->capture_default_str();
  command->add_option("--batch", arguments->batch, "clips a batch, at most as many as files")
      ->check(positive)
      ->capture_default_str();
  command->add_option("--clips", arguments->clips, "clips an iteration, at least")
      ->check(positive)
      ->capture_default_str();
  command->add_option("--modality", arguments->modality, "what is loaded")
      ->check(CLI::IsMember({"both", "video", "audio"}))
      ->capture_default_str();
  command->callback([arguments, data, options] { run(*arguments, *data, *options); });
}

}  // namespace avbench::app
