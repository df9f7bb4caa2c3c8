// avbench bench step: one training step of each method, on random clips or on files.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "app/bench_runner.h"
#include "app/commands.h"
#include "app/data_options.h"
#include "app/step_report.h"
#include "app/training_threads.h"
#include "data/loader.h"
#include "encoders/two_towers.h"
#include "io/error.h"
#include "io/processors.h"
#include "io/trace.h"
#include "kernels/conv3d.h"
#include "plugin/failure.h"
#include "plugin/registry.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/peak_memory.h"
#include "train/seeds.h"

namespace avbench {
namespace {

using Clock = std::chrono::steady_clock;

struct StepArguments {
  std::vector<std::string> methods;
  std::string data;  // a data set; empty: random clips
};

// What is stepped: a row of the configuration, or a method with its defaults.
struct Entry {
  std::string name;
  const LoadedPlugin* plugin;
  Params params;
  OptimizerConfig optimizer;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// FLOP/s of LibTorch's matrix product, the best of some.
double gemm_peak() {
  constexpr int64_t kSide = 1024;
  const Tensor a = at::rand({kSide, kSide}), b = at::rand({kSide, kSide});
  Tensor c = at::mm(a, b);
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const auto begin = Clock::now();
    at::mm_out(c, a, b);
    best = std::max(best, 2.0 * kSide * kSide * kSide / seconds_since(begin));
  }
  return best;
}

// Where a step's batch comes from.
class Batches {
 public:
  virtual ~Batches() = default;
  virtual Batch next() = 0;
};

class RandomBatches : public Batches {
 public:
  RandomBatches(const ProtocolConfig& protocol, const Views& views) {
    const int64_t batch = protocol.pretrain.batch_size;
    batch_.index = at::arange(batch);
    for (const ViewSpec& view : views) {
      const bool video = view.modality == Modality::kVideo;
      (video ? batch_.video : batch_.audio)[view.name] =
          (video ? video_clips(batch, protocol.clip) : spectrograms(batch, protocol))
              .contiguous(at::MemoryFormat::ChannelsLast3d);
    }
  }
  Batch next() override { return batch_; }

 private:
  static Tensor video_clips(int64_t batch, const ClipConfig& clip) {
    return at::rand({batch, 3, clip.frames, clip.crop, clip.crop});
  }
  static Tensor spectrograms(int64_t batch, const ProtocolConfig& protocol) {
    const SpectrogramConfig& audio = protocol.spectrogram;
    const int64_t frames = audio.time == "repeat" ? protocol.clip.frames : 1;
    return at::rand({batch, audio.channels, frames, audio.crop, audio.crop});
  }

  Batch batch_;
};

class LoadedBatches : public Batches {
 public:
  LoadedBatches(const std::shared_ptr<const Dataset>& dataset, const Experiment& experiment,
                Views views)
      : loader_(
            dataset,
            train_plan(dataset->size(Split::kTrain), experiment.protocol.pretrain.batch_size, 0),
            {.views = std::move(views),
             .batch_count = int64_t{1} << 40,
             .workers = static_cast<int>(loader_threads(experiment.run.workers))}) {}
  Batch next() override {
    const TracePhase phase("wait for data");
    return loader_.next().batch;
  }

 private:
  Loader loader_;
};

std::unique_ptr<Batches> make_batches(const std::shared_ptr<const Dataset>& dataset,
                                      const Experiment& experiment, const Views& views) {
  if (!dataset) return std::make_unique<RandomBatches>(experiment.protocol, views);
  return std::make_unique<LoadedBatches>(dataset, experiment, views);
}

// What is stepped: a method, or the two towers alone.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Loss loss(const Batch& batch, const StepContext& context) = 0;
  virtual void after_backward(const StepContext&) {}
  virtual void after_step(const StepContext&) {}
  virtual std::vector<ParamGroup> groups() = 0;
  virtual StateDict state() = 0;
};

class BareTowers : public Subject {
 public:
  explicit BareTowers(const ProtocolConfig& protocol)
      : towers_(make_towers(protocol.encoder, 0, protocol.spectrogram.channels)) {}
  Loss loss(const Batch& batch, const StepContext&) override {
    const Features features = towers_->forward(batch);
    return {.total = features.video.pooled.mean() + features.audio.pooled.mean()};
  }
  std::vector<ParamGroup> groups() override { return {{.parameters = towers_->parameters()}}; }
  StateDict state() override { return module_state(*towers_); }

 private:
  std::shared_ptr<Towers> towers_;
};

class MethodStep : public Subject {
 public:
  MethodStep(const ProtocolConfig& protocol, const Entry& entry)
      : origin_(entry.plugin),
        method_(construct_method(
            *entry.plugin,
            {.towers = make_towers(protocol.encoder, 0, protocol.spectrogram.channels),
             .params = entry.params,
             .train_size = std::max<int64_t>(16 * protocol.pretrain.batch_size, 4096)},
            "")) {
    method_->train();
  }
  Loss loss(const Batch& batch, const StepContext& context) override {
    return origin_.call("loss", [&] {
      Loss loss = method_->loss(batch, context);
      require_scalar(loss);
      return loss;
    });
  }
  void after_backward(const StepContext& context) override {
    origin_.call("after_backward", [&] { method_->after_backward(context); });
  }
  void after_step(const StepContext& context) override {
    origin_.call("after_step", [&] { method_->after_step(context); });
  }
  std::vector<ParamGroup> groups() override {
    return origin_.call("param_groups", [&] { return method_->param_groups(Stage::kPretrain); });
  }
  StateDict state() override { return module_state(*method_); }

 private:
  MethodOrigin origin_;
  std::shared_ptr<Method> method_;
};

// Steps of a subject, with what each phase of each took.
class Stepper {
 public:
  Stepper(Subject& subject, Batches& batches, const OptimizerConfig& optimizer, double clip_norm)
      : subject_(subject),
        batches_(batches),
        optimizer_(optimizer, subject.groups(), subject.state()),
        clip_norm_(clip_norm) {}

  void step() {
    const PhaseTimes times;
    run();
    for (const char* phase : step_phases()) {
      const auto found = times.seconds().find(phase);
      phases_[phase].push_back(found == times.seconds().end() ? 0 : 1e3 * found->second);
    }
  }

  void forget() { phases_.clear(); }

  // Milliseconds that a share of the steps stays below.
  double percentile(const std::string& phase, double share) const {
    std::vector<double> values = phases_.at(phase);
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
  }

 private:
  template <typename F>
  static auto timed(const char* name, const F& f) {
    const TracePhase phase(name);
    return f();
  }

  void run() {
    const StepContext context{.step = step_,
                              .total_steps = 1 << 20,
                              .random = make_generator(derive_seed(0, "step", step_)),
                              .group = alone_};
    const Batch batch = batches_.next();
    optimizer_.zero_grad();
    const Loss loss = timed("loss", [&] { return subject_.loss(batch, context); });
    timed("backward", [&] { loss.total.backward(); });
    timed("hooks", [&] { subject_.after_backward(context); });
    timed("optimizer", [&] {
      optimizer_.clip_gradients(clip_norm_);
      optimizer_.step(1);
    });
    timed("hooks", [&] { subject_.after_step(context); });
    ++step_;
  }

  Subject& subject_;
  Batches& batches_;
  Optimizer optimizer_;
  double clip_norm_;
  Communicator alone_;
  int64_t step_ = 0;
  std::map<std::string, std::vector<double>> phases_;
};

void bench(benchmark::State& state, Stepper stepper, Subject& subject, int64_t batch, double peak) {
  ::malloc_trim(0);  // what the method before kept doesn't count
  reset_peak_memory();
  double flops = 0;
  {
    const kernels::ConvObserver count(
        [&](const kernels::ConvCall& call) { flops += call.flops(); });
    stepper.step();  // allocates momentum and gradients
  }
  stepper.forget();
  const auto begin = Clock::now();
  for (auto _ : state) stepper.step();
  const double seconds = seconds_since(begin);
  const auto steps = static_cast<double>(state.iterations());
  const auto set = [&](const std::string& name, double value) {
    state.counters[name] = benchmark::Counter(value);
  };
  set(counter::kClips, steps * static_cast<double>(batch) / seconds);
  set(counter::kPeak, static_cast<double>(peak_memory_bytes() >> 20));
  double parameters = 0;
  for (const ParamGroup& group : subject.groups()) {
    for (const Tensor& parameter : group.parameters) {
      parameters += static_cast<double>(parameter.numel());
    }
  }
  set(counter::kParameters, parameters);
  set(counter::kFlops, flops / static_cast<double>(batch) / 1e9);
  set(counter::kGemmShare, flops * steps / seconds / peak);
  for (const char* phase : step_phases()) {
    for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}) {
      set(phase_counter(phase, name), stepper.percentile(phase, share));
    }
  }
}

std::shared_ptr<const Dataset> open_data(const std::string& source, const Experiment& experiment) {
  if (source.empty()) return nullptr;
  ProtocolConfig protocol = experiment.protocol;
  protocol.data.source = source;
  auto dataset = Dataset::open(protocol.data, protocol.clip, protocol.spectrogram, experiment.run,
                               reading_progress("reading"));
  const int64_t batch = protocol.pretrain.batch_size;
  if (dataset->size(Split::kTrain) < batch) {
    throw UserError(source + ": " + std::to_string(dataset->size(Split::kTrain)) +
                    " usable file(s) in the training split, expected at least a batch of " +
                    std::to_string(batch));
  }
  return dataset;
}

Entry entry_of(const LoadedPlugin& plugin, const TrainingConfig& training) {
  const MethodPlugin& record = *plugin.record;
  return {record.name, &plugin, Params::resolve(record.name, record.params, {}),
          training.optimizer};
}

Entry entry_of(const LoadedPlugin& plugin, const RowConfig& row) {
  const MethodPlugin& record = *plugin.record;
  std::vector<ParamInput> inputs;
  for (const Setting& s : row.params) inputs.push_back({s.name, s.text, s.where});
  return {row.name, &plugin, Params::resolve(record.name, record.params, inputs),
          row.pretrain.optimizer};
}

// The configuration's rows of these methods; a method without a row, with its defaults.
std::vector<Entry> entries_of(const StepArguments& arguments, const Experiment& experiment,
                              const PluginRegistry& registry) {
  const auto rows_of = [&](const std::string& method) {
    std::vector<Entry> entries;
    for (const RowConfig& row : experiment.rows) {
      if (row.method.empty() || (!method.empty() && row.method != method)) continue;
      entries.push_back(entry_of(registry.find(row.method), row));
    }
    return entries;
  };
  std::vector<Entry> all;
  for (const std::string& name : arguments.methods) {
    const LoadedPlugin& plugin = registry.find(name);
    std::vector<Entry> entries = rows_of(name);
    if (entries.empty()) entries.push_back(entry_of(plugin, experiment.training));
    for (Entry& entry : entries) all.push_back(std::move(entry));
  }
  if (arguments.methods.empty()) all = rows_of("");
  if (!all.empty()) return all;
  for (const LoadedPlugin& plugin : registry.plugins()) {
    all.push_back(entry_of(plugin, experiment.training));
  }
  return all;
}

template <typename Make>
void add_benchmark(const std::string& name, const Experiment& experiment,
                   const OptimizerConfig& optimizer, double peak, const Make& make) {
  benchmark::RegisterBenchmark(("step/" + name).c_str(),
                               [&experiment, optimizer, peak, make](benchmark::State& state) {
                                 seed_default_generator(0);
                                 const auto [subject, batches] = make();
                                 const PretrainConfig& pretrain = experiment.protocol.pretrain;
                                 bench(state,
                                       Stepper(*subject, *batches, optimizer, pretrain.clip_norm),
                                       *subject, pretrain.batch_size, peak);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

// Without a configuration a step is small, and clipped like those of the configurations here.
Experiment settings_of(DataOptions options) {
  if (options.config.empty()) {
    options.sets.insert(options.sets.begin(),
                        {"protocol.pretrain.batch_size=4", "protocol.pretrain.clip_norm=1"});
  }
  return read_settings(options);
}

void run(const StepArguments& arguments, const DataOptions& settings, const BenchOptions& options) {
  const Experiment experiment = settings_of(settings);
  use_training_threads(experiment.run.threads);
  const PluginRegistry registry = PluginRegistry::discover();
  const std::vector<Entry> entries = entries_of(arguments, experiment, registry);
  const auto dataset = open_data(arguments.data, experiment);
  const double peak = gemm_peak();
  using Parts = std::pair<std::unique_ptr<Subject>, std::unique_ptr<Batches>>;
  add_benchmark("bare", experiment, experiment.training.optimizer, peak, [&] {
    return Parts(std::make_unique<BareTowers>(experiment.protocol),
                 make_batches(dataset, experiment, base_views()));
  });
  for (const Entry& entry : entries) {
    add_benchmark(entry.name, experiment, entry.optimizer, peak, [&] {
      const Views views = MethodOrigin(entry.plugin).call("views", [&] {
        return entry.plugin->record->views(entry.params);
      });
      return Parts(std::make_unique<MethodStep>(experiment.protocol, entry),
                   make_batches(dataset, experiment, views));
    });
  }
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

}  // namespace avbench
