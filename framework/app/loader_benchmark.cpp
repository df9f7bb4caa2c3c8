#include "app/loader_benchmark.h"

#include <benchmark/benchmark.h>

#include <utility>

#include "data/loader.h"

namespace avbench::app {
namespace {

// Delivers `batches` batches; returns how many clips that were.
int64_t load(const LoaderBenchmark& b, const data::BatchSampler& sampler, int64_t first,
             int64_t batches) {
  data::Loader loader(
      b.dataset, sampler,
      {.views = b.views, .first_batch = first, .batch_count = batches, .workers = b.workers});
  int64_t clips = 0;
  while (loader.batches_left() > 0) clips += loader.next().labels.size(0);
  return clips;
}

void fill_cache(const data::Dataset& dataset) {
  data::SampleReader reader(dataset.clip(), dataset.spectrogram());
  for (const data::Sample& sample : dataset.samples(data::Split::kTrain))
    dataset.cache()->get(sample, reader);
}

void run(benchmark::State& state, const LoaderBenchmark& b) {
  const data::BatchSampler sampler =
      data::training_sampler(b.dataset->size(data::Split::kTrain), b.batch, 0);
  const int64_t rows = static_cast<int64_t>(sampler.requests(0).size());
  const int64_t batches = (b.clips + rows - 1) / rows;
  if (b.dataset->cache()) fill_cache(*b.dataset);
  int64_t clips = 0, first = 0;
  for (auto _ : state) {
    clips += load(b, sampler, first, batches);
    first += batches;
  }
  state.counters["clips_per_second"] =
      benchmark::Counter(static_cast<double>(clips), benchmark::Counter::kIsRate);
}

}  // namespace

void register_loader_benchmark(const std::string& name, LoaderBenchmark benchmark) {
  benchmark::RegisterBenchmark(
      name.c_str(), [b = std::move(benchmark)](benchmark::State& state) { run(state, b); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace avbench::app
