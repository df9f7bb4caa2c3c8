// avbench bench loss: the pure loss of each method, forward and backward, on random embeddings.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "app/bench_runner.h"
#include "app/commands.h"
#include "plugin/embeddings.h"
#include "plugin/failure.h"
#include "plugin/registry.h"
#include "tensors/seeds.h"

namespace avbench::app {
namespace {

struct Sizes {
  std::vector<std::string> methods;
  std::vector<int64_t> batches{256}, dims{128};
  int64_t negatives = 1024;
};

// Rows of norm 1, as queues and banks must be, unless a range is declared.
Tensor random_embedding(EmbeddingSpec spec, int64_t batch, int64_t dim, int64_t negatives) {
  spec.unit_rows |= *spec.shape != '\0' && plugin::range_text(spec).empty();
  const Tensor values = at::randn(plugin::embedding_sizes(spec, [&](char letter) {
    return letter == 'B' ? batch : letter == 'D' ? dim : negatives;
  }));
  return plugin::as_declared(spec, values).requires_grad_(spec.differentiable);
}

void bench_loss(benchmark::State& state, const Sizes& sizes, const plugin::LoadedPlugin& loaded) {
  const MethodPlugin& plugin = *loaded.record;
  tensors::seed_default_generator(0);
  const Params params = Params::resolve(plugin.name, plugin.params, {});
  const int64_t batch = state.range(0), dim = state.range(1);
  NamedTensors embeddings;
  for (const EmbeddingSpec& spec : plugin.embeddings) {
    embeddings[spec.name] = random_embedding(spec, batch, dim, sizes.negatives);
  }
  for (auto _ : state) {
    for (auto& [name, tensor] : embeddings) tensor.mutable_grad().reset();
    plugin::pure_loss(loaded, embeddings, params, "").total.backward();
  }
  state.counters["clips_per_second"] = benchmark::Counter(
      static_cast<double>(state.iterations() * batch), benchmark::Counter::kIsRate);
  state.SetComplexityN(batch);
}

void run(const Sizes& sizes, const BenchOptions& options) {
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  for (const plugin::LoadedPlugin& loaded : registry.plugins()) {
    const std::string name = loaded.record->name;
    if (!sizes.methods.empty() &&
        std::count(sizes.methods.begin(), sizes.methods.end(), name) == 0) {
      continue;
    }
    for (const int64_t dim : sizes.dims) {
      auto* benchmark = benchmark::RegisterBenchmark(
          ("loss/" + name).c_str(),
          [&sizes, &loaded](benchmark::State& state) { bench_loss(state, sizes, loaded); });
      benchmark->Unit(benchmark::kMicrosecond)->UseRealTime()->ArgNames({"B", "D"});
      for (const int64_t batch : sizes.batches) benchmark->Args({batch, dim});
      if (sizes.batches.size() > 2) benchmark->Complexity();  // how the time grows with B
    }
  }
  for (const std::string& name : sizes.methods) registry.find(name);  // refuses unknown names
  run_benchmarks(options);
}

}  // namespace

void add_bench_loss_command(CLI::App& bench) {
  auto* command = bench.add_subcommand("loss", "The pure losses, forward and backward");
  const auto sizes = std::make_shared<Sizes>();
  const auto options = add_bench_options(*command);
  const auto positive = CLI::Range(int64_t{2}, int64_t{1} << 20);
  command->add_option("METHOD", sizes->methods, "methods; default: all");
  command
      ->add_option("--batch", sizes->batches,
                   "rows; of three numbers or more (--batch 16 64 256) the growth is shown too")
      ->check(positive)
      ->capture_default_str();
  command->add_option("--dim", sizes->dims, "columns; several are measured one by one")
      ->check(positive)
      ->capture_default_str();
  command->add_option("--negatives", sizes->negatives, "rows of a queue or bank")
      ->check(positive)
      ->capture_default_str();
  command->callback([sizes, options] { run(*sizes, *options); });
}

}  // namespace avbench::app
