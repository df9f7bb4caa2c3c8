// The whole loader as Google Benchmarks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "avbench/views.h"
#include "data/dataset.h"

namespace avbench::app {

struct LoaderBenchmark {
  std::shared_ptr<const data::Dataset> dataset;
  Views views = base_views();
  int64_t batch = 16;
  int64_t clips = 96;  // at least so many an iteration
  int workers = 1;
};

// Training batches of the training split from a loader that starts empty; counts clips_per_second.
// Decoded content is in memory before the first iteration if the data set has a cache.
void register_loader_benchmark(const std::string& name, LoaderBenchmark benchmark);

}  // namespace avbench::app
