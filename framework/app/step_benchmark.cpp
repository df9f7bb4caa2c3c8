#include "app/step_benchmark.h"

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/step_report.h"
#include "data/loader.h"
#include "encoders/two_towers.h"
#include "io/processors.h"
#include "io/trace.h"
#include "kernels/conv3d.h"
#include "plugin/failure.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/peak_memory.h"
#include "train/seeds.h"

namespace avbench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
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
  MethodStep(const ProtocolConfig& protocol, const StepEntry& entry)
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

// The two towers in evaluation, without gradients: what the test, `embed` and a classifier on
// fixed towers cost.
void bench_forward(benchmark::State& state, const ProtocolConfig& protocol, Batches& batches) {
  ::malloc_trim(0);
  reset_peak_memory();
  const at::NoGradGuard no_grad;
  const auto towers = make_towers(protocol.encoder, 0, protocol.spectrogram.channels);
  towers->eval();
  const auto forward = [&] { benchmark::DoNotOptimize(towers->forward(batches.next())); };
  forward();
  const auto begin = Clock::now();
  for (auto _ : state) forward();
  const double seconds = seconds_since(begin);
  const auto clips = static_cast<double>(state.iterations() * protocol.pretrain.batch_size);
  state.counters[counter::kClips] = benchmark::Counter(clips / seconds);
  state.counters[counter::kPeak] =
      benchmark::Counter(static_cast<double>(peak_memory_bytes() >> 20));
}

void bench_steps(benchmark::State& state, const PretrainConfig& pretrain, Subject& subject,
                 const OptimizerConfig& optimizer, Batches& batches, double peak) {
  ::malloc_trim(0);  // what the method before kept doesn't count
  reset_peak_memory();
  Stepper stepper(subject, batches, optimizer, pretrain.clip_norm);
  const auto batch = static_cast<double>(pretrain.batch_size);
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
  set(counter::kClips, steps * batch / seconds);
  set(counter::kPeak, static_cast<double>(peak_memory_bytes() >> 20));
  double parameters = 0;
  for (const ParamGroup& group : subject.groups()) {
    for (const Tensor& parameter : group.parameters) {
      parameters += static_cast<double>(parameter.numel());
    }
  }
  set(counter::kParameters, parameters);
  set(counter::kFlops, flops / batch / 1e9);
  set(counter::kGemmShare, flops * steps / seconds / peak);
  for (const char* phase : step_phases()) {
    for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}) {
      set(phase_counter(phase, name), stepper.percentile(phase, share));
    }
  }
}

template <typename Run>
void add_benchmark(const std::string& name, const Run& run) {
  benchmark::RegisterBenchmark(("step/" + name).c_str(),
                               [run](benchmark::State& state) {
                                 seed_default_generator(0);
                                 run(state);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace

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

StepBenchmarks::StepBenchmarks(const Experiment& experiment, std::shared_ptr<const Dataset> dataset,
                               double gemm_peak)
    : experiment_(experiment), dataset_(std::move(dataset)), gemm_peak_(gemm_peak) {}

void StepBenchmarks::add_bare() const {
  add_benchmark("bare", [this](benchmark::State& state) {
    BareTowers towers(experiment_.protocol);
    const auto batches = make_batches(dataset_, experiment_, base_views());
    bench_steps(state, experiment_.protocol.pretrain, towers, experiment_.training.optimizer,
                *batches, gemm_peak_);
  });
}

void StepBenchmarks::add_forward() const {
  add_benchmark("forward", [this](benchmark::State& state) {
    bench_forward(state, experiment_.protocol, *make_batches(dataset_, experiment_, base_views()));
  });
}

void StepBenchmarks::add(const StepEntry& entry) const {
  add_benchmark(entry.name, [this, &entry](benchmark::State& state) {
    const Views views = MethodOrigin(entry.plugin).call("views", [&] {
      return entry.plugin->record->views(entry.params);
    });
    MethodStep method(experiment_.protocol, entry);
    const auto batches = make_batches(dataset_, experiment_, views);
    bench_steps(state, experiment_.protocol.pretrain, method, entry.optimizer, *batches,
                gemm_peak_);
  });
}

}  // namespace avbench
