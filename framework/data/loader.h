// Batches of views, made by threads ahead of their use and delivered in order.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "avbench/batch.h"
#include "avbench/views.h"
#include "data/batch_sampler.h"
#include "data/dataset.h"
#include "data/loaded_batch.h"

namespace avbench::data {

struct LoaderOptions {
  Split split = Split::kTrain;
  Views views = base_views();  // what is not named is not decoded
  int64_t first_batch = 0;
  int64_t batch_count = 0;  // how many to deliver
  int workers = 1;
  int prefetch = 3;  // batches made ahead at most
};

// What is delivered depends on the data set, the sampler and the views alone, never on `workers`.
class Loader {
 public:
  // Throws UserError if a view of a modality is named twice.
  Loader(std::shared_ptr<const Dataset> dataset, BatchSampler sampler,
         const LoaderOptions& options);
  ~Loader();  // at any time; waits for the samples that are being decoded

  // Blocks until the next batch is ready. Throws what a worker threw for it (then always again),
  // std::logic_error after the last batch.
  LoadedBatch next();

  int64_t batches_left() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// One batch, made in the calling thread: what a Loader delivers for the same requests.
LoadedBatch load_batch(const Dataset& dataset, Split split, const Views& views,
                       std::vector<SampleRequest> requests);

}  // namespace avbench::data
