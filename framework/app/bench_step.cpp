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

struct Shape {
  std::vector<std::string> methods;
  EncoderConfig encoder;
  int64_t batch = 4, frames = 16, size = 112, threads = 0;
  std::string data;  // a data set; empty: random clips
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
  RandomBatches(const Shape& shape, const Views& views) {
    batch_.index = at::arange(shape.batch);
    for (const ViewSpec& view : views) {
      const bool video = view.modality == Modality::kVideo;
      (video ? batch_.video : batch_.audio)[view.name] =
          at::rand({shape.batch, 3, video ? shape.frames : 1, shape.size, shape.size})
              .contiguous(at::MemoryFormat::ChannelsLast3d);
    }
  }
  Batch next() override { return batch_; }

 private:
  Batch batch_;
};

class LoadedBatches : public Batches {
 public:
  LoadedBatches(const std::shared_ptr<const Dataset>& dataset, const Shape& shape, Views views)
      : loader_(dataset, train_plan(dataset->size(Split::kTrain), shape.batch, 0),
                {.views = std::move(views),
                 .batch_count = int64_t{1} << 40,
                 .workers = static_cast<int>(loader_threads(0))}) {}
  Batch next() override {
    const TracePhase phase("wait for data");
    return loader_.next().batch;
  }

 private:
  Loader loader_;
};

std::unique_ptr<Batches> make_batches(const std::shared_ptr<const Dataset>& dataset,
                                      const Shape& shape, const Views& views) {
  if (!dataset) return std::make_unique<RandomBatches>(shape, views);
  return std::make_unique<LoadedBatches>(dataset, shape, views);
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
  explicit BareTowers(const Shape& shape) : towers_(make_towers(shape.encoder, 0)) {}
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
  MethodStep(const Shape& shape, const LoadedPlugin& loaded, const Params& params)
      : origin_(&loaded),
        method_(construct_method(loaded,
                                 {.towers = make_towers(shape.encoder, 0),
                                  .params = params,
                                  .train_size = std::max<int64_t>(16 * shape.batch, 4096)},
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
  Stepper(Subject& subject, Batches& batches)
      : subject_(subject), batches_(batches), optimizer_({}, subject.groups(), subject.state()) {}

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
      optimizer_.clip_gradients(1);
      optimizer_.step(1);
    });
    timed("hooks", [&] { subject_.after_step(context); });
    ++step_;
  }

  Subject& subject_;
  Batches& batches_;
  Optimizer optimizer_;
  Communicator alone_;
  int64_t step_ = 0;
  std::map<std::string, std::vector<double>> phases_;
};

void bench(benchmark::State& state, const Shape& shape, Subject& subject, Batches& batches,
           double peak) {
  ::malloc_trim(0);  // what the method before kept doesn't count
  reset_peak_memory();
  Stepper stepper(subject, batches);
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
  set(counter::kClips, steps * static_cast<double>(shape.batch) / seconds);
  set(counter::kPeak, static_cast<double>(peak_memory_bytes() >> 20));
  double parameters = 0;
  for (const ParamGroup& group : subject.groups()) {
    for (const Tensor& parameter : group.parameters) {
      parameters += static_cast<double>(parameter.numel());
    }
  }
  set(counter::kParameters, parameters);
  set(counter::kFlops, flops / static_cast<double>(shape.batch) / 1e9);
  set(counter::kGemmShare, flops * steps / seconds / peak);
  for (const char* phase : step_phases()) {
    for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}) {
      set(phase_counter(phase, name), stepper.percentile(phase, share));
    }
  }
}

std::shared_ptr<const Dataset> open_data(const Shape& shape, Experiment experiment) {
  if (shape.data.empty()) return nullptr;
  experiment.protocol.data.source = shape.data;
  experiment.protocol.clip.frames = shape.frames;
  experiment.protocol.clip.crop = shape.size;
  auto dataset =
      Dataset::open(experiment.protocol.data, experiment.protocol.clip,
                    experiment.protocol.spectrogram, experiment.run, reading_progress("reading"));
  if (dataset->size(Split::kTrain) < shape.batch) {
    throw UserError(shape.data + ": " + std::to_string(dataset->size(Split::kTrain)) +
                    " usable file(s) in the training split, expected at least a batch of " +
                    std::to_string(shape.batch));
  }
  return dataset;
}

template <typename Make>
void add_benchmark(const std::string& name, const Shape& shape, double peak, const Make& make) {
  benchmark::RegisterBenchmark(("step/" + name).c_str(),
                               [&shape, peak, make](benchmark::State& state) {
                                 seed_default_generator(0);
                                 const auto [subject, batches] = make();
                                 bench(state, shape, *subject, *batches, peak);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void run(const Shape& shape, const DataOptions& data, const BenchOptions& options) {
  use_training_threads(shape.threads);
  const PluginRegistry registry = PluginRegistry::discover();
  std::vector<const LoadedPlugin*> plugins;
  for (const std::string& name : shape.methods) plugins.push_back(&registry.find(name));
  if (plugins.empty()) {
    for (const LoadedPlugin& plugin : registry.plugins()) plugins.push_back(&plugin);
  }
  const auto dataset = open_data(shape, read_settings(data));
  const double peak = gemm_peak();
  using Parts = std::pair<std::unique_ptr<Subject>, std::unique_ptr<Batches>>;
  add_benchmark("bare", shape, peak, [&] {
    return Parts(std::make_unique<BareTowers>(shape), make_batches(dataset, shape, base_views()));
  });
  for (const LoadedPlugin* plugin : plugins) {
    add_benchmark(plugin->record->name, shape, peak, [&, plugin] {
      const MethodPlugin& record = *plugin->record;
      const Params params = Params::resolve(record.name, record.params, {});
      const Views views = MethodOrigin(plugin).call("views", [&] { return record.views(params); });
      return Parts(std::make_unique<MethodStep>(shape, *plugin, params),
                   make_batches(dataset, shape, views));
    });
  }
  StepTable table;
  run_benchmarks(options, &table);
}

}  // namespace

void add_bench_step_command(CLI::App& bench) {
  auto* command = bench.add_subcommand(
      "step", "Training steps per method: speed, phases, memory, beside the two towers alone");
  const auto shape = std::make_shared<Shape>();
  const auto data = add_data_options(*command);
  const auto options = add_bench_options(*command);
  command->add_option("METHOD", shape->methods, "methods; default: all");
  command->add_option("--encoder", shape->encoder.name, "backbone")->capture_default_str();
  command->add_option("--width", shape->encoder.width, "channels of the first stage")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  const auto size = CLI::Range(int64_t{1}, int64_t{4096});
  command->add_option("--batch", shape->batch, "clips a step")->check(size)->capture_default_str();
  command->add_option("--frames", shape->frames, "frames a clip")
      ->check(size)
      ->capture_default_str();
  command->add_option("--size", shape->size, "side of a frame")->check(size)->capture_default_str();
  command->add_option("--threads", shape->threads, "of a training step; 0: by the processors")
      ->capture_default_str();
  command->add_option(
      "--data", shape->data,
      "a data set whose training files are loaded meanwhile; default: random clips");
  command->callback([shape, data, options] { run(*shape, *data, *options); });
}

}  // namespace avbench
