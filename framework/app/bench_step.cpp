// avbench bench step: one training step of each method, on random clips or on files.
#include <benchmark/benchmark.h>

#include "app/bench_runner.h"
#include "app/commands.h"
#include "app/data_options.h"
#include "app/step_benchmark.h"
#include "app/step_report.h"
#include "experiment/chosen_device.h"
#include "experiment/row_method.h"
#include "experiment/training_threads.h"
#include "io/error.h"
#include "plugin/registry.h"

namespace avbench::app {
namespace {

struct StepArguments {
  std::vector<std::string> methods;
  std::string data;  // a data set; empty: random clips
};

std::shared_ptr<const data::Dataset> open_data(const std::string& source,
                                               const config::Experiment& experiment) {
  if (source.empty()) return nullptr;
  config::ProtocolConfig protocol = experiment.protocol;
  protocol.data.source = source;
  auto dataset = data::Dataset::open(protocol.data, protocol.clip, protocol.spectrogram,
                                     experiment.run, reading_progress("reading"));
  const int64_t batch = protocol.pretrain.batch_size;
  if (dataset->size(data::Split::kTrain) < batch) {
    throw io::UserError(source + ": " + std::to_string(dataset->size(data::Split::kTrain)) +
                        " usable file(s) in the training split, expected at least a batch of " +
                        std::to_string(batch));
  }
  return dataset;
}

StepEntry entry_of(const plugin::LoadedPlugin& plugin, const config::TrainingConfig& training) {
  const MethodPlugin& record = *plugin.record;
  return {record.name, &plugin, Params::resolve(record.name, record.params, {}),
          training.optimizer};
}

StepEntry entry_of(const plugin::LoadedPlugin& plugin, const config::RowConfig& row) {
  return {row.name, &plugin, experiment::row_params(plugin, row), row.pretrain.optimizer};
}

// The configuration's rows of these methods; a method without a row, with its defaults.
std::vector<StepEntry> entries_of(const StepArguments& arguments,
                                  const config::Experiment& experiment,
                                  const plugin::PluginRegistry& registry) {
  const auto rows_of = [&](const std::string& method) {
    std::vector<StepEntry> entries;
    for (const config::RowConfig& row : experiment.rows) {
      if (row.method.empty() || (!method.empty() && row.method != method)) continue;
      entries.push_back(entry_of(registry.find(row.method), row));
    }
    return entries;
  };
  std::vector<StepEntry> all;
  for (const std::string& name : arguments.methods) {
    const plugin::LoadedPlugin& plugin = registry.find(name);
    std::vector<StepEntry> entries = rows_of(name);
    if (entries.empty()) entries.push_back(entry_of(plugin, experiment.training));
    for (StepEntry& entry : entries) all.push_back(std::move(entry));
  }
  if (arguments.methods.empty()) all = rows_of("");
  if (!all.empty()) return all;
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    all.push_back(entry_of(plugin, experiment.training));
  }
  return all;
}

// Without a configuration a step is small, and clipped like those of the configurations here.
config::Experiment settings_of(DataOptions options) {
  if (options.config.empty()) {
    options.sets.insert(options.sets.begin(),
                        {"protocol.pretrain.batch_size=4", "protocol.pretrain.clip_norm=1"});
  }
  return read_settings(options);
}

void run(const StepArguments& arguments, const DataOptions& settings, const BenchOptions& options) {
  const config::Experiment experiment = settings_of(settings);
  experiment::use_training_threads(experiment.run.threads);
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  const std::vector<StepEntry> entries = entries_of(arguments, experiment, registry);
  const auto dataset = open_data(arguments.data, experiment);
  const StepBenchmarks benchmarks(experiment, dataset,
                                  experiment::chosen_device(experiment.run.device));
  benchmarks.add_bare();
  benchmarks.add_forward();
  for (const StepEntry& entry : entries) benchmarks.add(entry);
  StepTable table;
  run_benchmarks(options, &table);
}

// Options that are short for keys of the configuration, which they override.
void add_shorthand(CLI::App& command, const std::shared_ptr<DataOptions>& settings,
                   const std::string& option, const std::string& help,
                   const std::vector<std::string>& keys) {
  command.add_option_function<std::string>(
      option,
      [settings, keys](const std::string& value) {
        for (const std::string& key : keys) settings->sets.push_back(key + "=" + value);
      },
      help + ": short for --set " + keys.front());
}

}  // namespace

void add_bench_step_command(CLI::App& bench) {
  auto* command = bench.add_subcommand(
      "step", "Training steps per method: speed, phases, memory, beside the two towers alone");
  const auto arguments = std::make_shared<StepArguments>();
  const auto settings = add_data_options(*command);
  const auto options = add_bench_options(*command);
  command->add_option("METHOD", arguments->methods,
                      "methods; default: those of the configuration, without one all");
  const auto shorthand = [&](const std::string& option, const std::string& help,
                             const std::vector<std::string>& keys) {
    add_shorthand(*command, settings, option, help, keys);
  };
  shorthand("--encoder", "backbone", {"protocol.encoder.name"});
  shorthand("--width", "channels of the first stage", {"protocol.encoder.width"});
  shorthand("--batch", "clips a step", {"protocol.pretrain.batch_size"});
  shorthand("--frames", "frames a clip", {"protocol.clip.frames"});
  shorthand("--size", "side of a frame and of a spectrogram",
            {"protocol.clip.crop", "protocol.spectrogram.crop"});
  shorthand("--threads", "of a training step; 0: by the processors", {"run.threads"});
  command->add_option(
      "--data", arguments->data,
      "a data set whose training files are loaded meanwhile; default: random clips");
  command->callback([arguments, settings, options] { run(*arguments, *settings, *options); });
}

}  // namespace avbench::app
