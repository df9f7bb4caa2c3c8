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
#include "app/step_subject.h"
#include "data/loader.h"
#include "device/place.h"
#include "encoders/two_towers.h"
#include "io/processors.h"
#include "kernels/conv3d.h"
#include "plugin/failure.h"
#include "runtime/peak_memory.h"
#include "runtime/trace.h"
#include "tensors/seeds.h"
#include "train/loop.h"
#include "train/optimizer.h"
#include "train/random_batch.h"
#include "train/step.h"

namespace avbench::app {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

train::SampleShape shape_of(const config::ProtocolConfig& protocol) {
  const config::ClipConfig& clip = protocol.clip;
  const config::SpectrogramConfig& audio = protocol.spectrogram;
  const bool repeated = audio.time == config::SpectrogramConfig::Time::kRepeat;
  return {.video = {3, clip.frames, clip.crop, clip.crop},
          .audio = {audio.channels, repeated ? clip.frames : 1, audio.crop, audio.crop}};
}

// The same batch for every step.
train::NextBatch random_batches(const config::ProtocolConfig& protocol, const Views& views,
                                c10::Device device) {
  const Batch random = train::random_batch(views, protocol.pretrain.batch_size, shape_of(protocol),
                                           tensors::make_generator(0));
  data::LoadedBatch batch{.batch = device::batch_on(device, random)};
  return [batch] { return batch; };
}

train::NextBatch loaded_batches(const std::shared_ptr<const data::Dataset>& dataset,
                                const config::Experiment& experiment, const Views& views,
                                c10::Device device) {
  const int64_t batch_size = experiment.protocol.pretrain.batch_size;
  const auto loader = std::make_shared<data::Loader>(
      dataset, data::training_sampler(dataset->size(data::Split::kTrain), batch_size, 0),
      data::LoaderOptions{.views = views,
                          .batch_count = int64_t{1} << 40,
                          .workers = static_cast<int>(io::loader_threads(experiment.run.workers))});
  return [loader, device] {
    const runtime::TracePhase phase(train::step_phase::kData);
    data::LoadedBatch batch = loader->next();
    batch.batch = device::batch_on(device, batch.batch);
    return batch;
  };
}

train::NextBatch open_batches(const std::shared_ptr<const data::Dataset>& dataset,
                              const config::Experiment& experiment, const Views& views,
                              c10::Device device) {
  return dataset ? loaded_batches(dataset, experiment, views, device)
                 : random_batches(experiment.protocol, views, device);
}

// Steps of a subject, with what each phase of each took.
class Stepper {
 public:
  Stepper(StepSubject& subject, const train::NextBatch& next_batch,
          const config::OptimizerConfig& optimizer, double clip_norm)
      : next_batch_(next_batch),
        optimizer_(optimizer, subject.groups(), subject.state()),
        training_step_(subject, optimizer_, clip_norm) {}

  void step() {
    const runtime::PhaseTimes times;
    run();
    for (const char* phase : step_phases()) {
      const auto found = times.seconds().find(phase);
      phases_[phase].push_back(found == times.seconds().end() ? 0 : 1e3 * found->second);
    }
  }

  void forget() { phases_.clear(); }

  // Until a device has done all that it was given.
  void wait() const { optimizer_.gradient_norm().cpu(); }

  // Milliseconds that a share of the steps stays below.
  double percentile(const std::string& phase, double share) const {
    std::vector<double> values = phases_.at(phase);
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
  }

 private:
  // As in the loop of a stage, without its logs.
  void run() {
    const data::LoadedBatch batch = next_batch_();
    const StepContext context{.step = step_,
                              .total_steps = 1 << 20,
                              .random = train::step_generator(0, step_),
                              .group = alone_};
    tensors::seed_default_generator(tensors::derive_seed(0, "dropout", step_));
    training_step_.run(batch, context, /*lr_scale=*/1);
    ++step_;
  }

  const train::NextBatch& next_batch_;
  train::Optimizer optimizer_;
  train::TrainingStep training_step_;
  Communicator alone_;
  int64_t step_ = 0;
  std::map<std::string, std::vector<double>> phases_;
};

// The two towers in evaluation, without gradients: what the test, `embed` and a classifier on
// fixed towers cost.
void bench_forward(benchmark::State& state, const config::ProtocolConfig& protocol,
                   c10::Device device, const train::NextBatch& next_batch) {
  ::malloc_trim(0);
  runtime::reset_peak_memory();
  const at::NoGradGuard no_grad;
  const auto towers = encoders::make_towers(protocol.encoder, 0, protocol.spectrogram.channels);
  device::place(*towers, device);
  towers->eval();
  // Reading the last result waits for a device.
  const auto forward = [&] { towers->forward(next_batch().batch).audio.pooled.cpu(); };
  forward();
  const auto begin = Clock::now();
  for (auto _ : state) forward();
  const double seconds = seconds_since(begin);
  const auto clips = static_cast<double>(state.iterations() * protocol.pretrain.batch_size);
  state.counters[counter::kClips] = benchmark::Counter(clips / seconds);
  state.counters[counter::kPeak] =
      benchmark::Counter(static_cast<double>(runtime::peak_memory_bytes() >> 20));
}

double parameters_of(StepSubject& subject) {
  int64_t count = 0;
  for (const ParamGroup& group : subject.groups()) {
    for (const Tensor& parameter : group.parameters) count += parameter.numel();
  }
  return static_cast<double>(count);
}

// Floating-point operations of the first step, which also allocates momentum and gradients.
double flops_of_first_step(Stepper& stepper) {
  double flops = 0;
  const kernels::ConvObserver count([&](const kernels::ConvCall& call) { flops += call.flops(); });
  stepper.step();
  return flops;
}

// `peak`: see gemm_peak().
void bench_steps(benchmark::State& state, const config::PretrainConfig& pretrain,
                 StepSubject& subject, const config::OptimizerConfig& optimizer,
                 const train::NextBatch& next_batch, double peak) {
  ::malloc_trim(0);  // what the method before kept doesn't count
  runtime::reset_peak_memory();
  Stepper stepper(subject, next_batch, optimizer, pretrain.clip_norm);
  const double flops = flops_of_first_step(stepper);
  stepper.forget();
  stepper.wait();
  const auto begin = Clock::now();
  for (auto _ : state) stepper.step();
  stepper.wait();
  const double seconds = seconds_since(begin);
  const auto steps = static_cast<double>(state.iterations());
  const auto batch = static_cast<double>(pretrain.batch_size);
  const auto set = [&](const std::string& name, double value) {
    state.counters[name] = benchmark::Counter(value);
  };
  set(counter::kClips, steps * batch / seconds);
  set(counter::kPeak, static_cast<double>(runtime::peak_memory_bytes() >> 20));
  set(counter::kParameters, parameters_of(subject));
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
                                 tensors::seed_default_generator(0);
                                 run(state);
                               })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

// FLOP/s of LibTorch's matrix product, the best of some.
double gemm_peak(c10::Device device) {
  const int64_t side = device.is_cpu() ? 1024 : 8192;  // large enough to fill the device
  const Tensor a = at::rand({side, side}, device), b = at::rand({side, side}, device);
  Tensor c = at::mm(a, b);
  const auto wait = [&] { c[0][0].item<float>(); };
  wait();
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const auto begin = Clock::now();
    at::mm_out(c, a, b);
    wait();
    const auto products = static_cast<double>(side * side * side);
    best = std::max(best, 2 * products / seconds_since(begin));
  }
  return best;
}

}  // namespace

StepBenchmarks::StepBenchmarks(const config::Experiment& experiment,
                               std::shared_ptr<const data::Dataset> dataset, c10::Device device)
    : experiment_(experiment),
      dataset_(std::move(dataset)),
      device_(device),
      gemm_peak_(gemm_peak(device)) {}

void StepBenchmarks::add_bare() const {
  add_benchmark("bare", [this](benchmark::State& state) {
    const auto towers = bare_towers(experiment_.protocol, device_);
    const train::NextBatch next_batch = open_batches(dataset_, experiment_, base_views(), device_);
    bench_steps(state, experiment_.protocol.pretrain, *towers, experiment_.training.optimizer,
                next_batch, gemm_peak_);
  });
}

void StepBenchmarks::add_forward() const {
  add_benchmark("forward", [this](benchmark::State& state) {
    bench_forward(state, experiment_.protocol, device_,
                  open_batches(dataset_, experiment_, base_views(), device_));
  });
}

void StepBenchmarks::add(const StepEntry& entry) const {
  add_benchmark(entry.name, [this, &entry](benchmark::State& state) {
    const Views views = plugin::MethodOrigin{entry.plugin, ""}.call(
        "views", [&] { return entry.plugin->record->views(entry.params); });
    const auto method = method_subject(experiment_.protocol, *entry.plugin, entry.params, device_);
    const train::NextBatch next_batch = open_batches(dataset_, experiment_, views, device_);
    bench_steps(state, experiment_.protocol.pretrain, *method, entry.optimizer, next_batch,
                gemm_peak_);
  });
}

}  // namespace avbench::app
