// avbench bench step: one training step of each method on random clips.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "app/bench_runner.h"
#include "app/commands.h"
#include "encoders/two_towers.h"
#include "plugin/failure.h"
#include "plugin/registry.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/peak_memory.h"
#include "train/seeds.h"

namespace avbench {
namespace {

struct Shape {
  std::vector<std::string> methods;
  EncoderConfig encoder;
  int64_t batch = 4, frames = 16, size = 112, threads = 0;
};

Tensor random_clip(const Shape& shape, int64_t frames) {
  return at::rand({shape.batch, 3, frames, shape.size, shape.size})
      .contiguous(at::MemoryFormat::ChannelsLast3d);
}

Batch random_batch(const Shape& shape, const Views& views) {
  Batch batch;
  batch.index = at::arange(shape.batch);
  for (const ViewSpec& view : views) {
    const bool video = view.modality == Modality::kVideo;
    (video ? batch.video : batch.audio)[view.name] = random_clip(shape, video ? shape.frames : 1);
  }
  return batch;
}

void bench_method(benchmark::State& state, const Shape& shape, const LoadedPlugin& loaded) {
  const MethodPlugin& plugin = *loaded.record;
  seed_default_generator(0);
  const Params params = Params::resolve(plugin.name, plugin.params, {});
  const auto method = construct_method(
      loaded,
      {.towers = make_towers(shape.encoder, 0), .params = params, .train_size = 16 * shape.batch},
      "");
  const MethodOrigin origin{&loaded};
  Optimizer optimizer(
      {}, origin.call("param_groups", [&] { return method->param_groups(Stage::kPretrain); }),
      module_state(*method));
  const Batch batch =
      random_batch(shape, origin.call("views", [&] { return plugin.views(params); }));
  Communicator alone;
  int64_t step = 0;
  method->train();
  reset_peak_memory();
  const auto train_step = [&] {
    const StepContext context{.step = step,
                              .total_steps = 1 << 20,
                              .random = make_generator(derive_seed(0, "step", step)),
                              .group = alone};
    optimizer.zero_grad();
    const Loss loss = origin.call("loss", [&] {
      Loss loss = method->loss(batch, context);
      require_scalar(loss);
      return loss;
    });
    loss.total.backward();
    origin.call("after_backward", [&] { method->after_backward(context); });
    optimizer.step(1);
    origin.call("after_step", [&] { method->after_step(context); });
    ++step;
  };
  train_step();  // allocates momentum and gradients
  for (auto _ : state) train_step();
  state.counters["clips_per_second"] = benchmark::Counter(
      static_cast<double>(state.iterations() * shape.batch), benchmark::Counter::kIsRate);
  state.counters["peak_MiB"] = static_cast<double>(peak_memory_bytes() >> 20);
}

void run(const Shape& shape, const BenchOptions& options) {
  if (shape.threads > 0) at::set_num_threads(static_cast<int>(shape.threads));
  const PluginRegistry registry = PluginRegistry::discover();
  std::vector<const LoadedPlugin*> plugins;
  for (const std::string& name : shape.methods) plugins.push_back(&registry.find(name));
  if (plugins.empty()) {
    for (const LoadedPlugin& plugin : registry.plugins()) plugins.push_back(&plugin);
  }
  for (const LoadedPlugin* plugin : plugins) {
    benchmark::RegisterBenchmark(
        (std::string("step/") + plugin->record->name).c_str(),
        [&shape, plugin](benchmark::State& state) { bench_method(state, shape, *plugin); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  run_benchmarks(options);
}

}  // namespace

void add_bench_step_command(CLI::App& bench) {
  auto* command = bench.add_subcommand("step", "Training steps per method on random clips");
  const auto shape = std::make_shared<Shape>();
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
  command->add_option("--threads", shape->threads, "0: one a core")->capture_default_str();
  command->callback([shape, options] { run(*shape, *options); });
}

}  // namespace avbench
