#include "stages/stage_loaders.h"

#include <algorithm>

#include "runtime/interrupt.h"

namespace avbench {
namespace {

constexpr int kPrefetch = 3;  // batches

}  // namespace

Views modality_views(Modalities modality) {
  Views views;
  if (modality != Modalities::kAudio) views.push_back({kBaseView, Modality::kVideo});
  if (modality != Modalities::kVideo) views.push_back({kBaseView, Modality::kAudio});
  return views;
}

NextBatch open_training(const StageLoaders& data, std::vector<int64_t> indices, int64_t batch_size,
                        uint64_t seed, int64_t first_step, int64_t count) {
  const auto loader =
      std::make_shared<Loader>(data.dataset, training_sampler(std::move(indices), batch_size, seed),
                               LoaderOptions{.split = Split::kTrain,
                                             .views = data.views,
                                             .first_batch = first_step,
                                             .batch_count = count,
                                             .workers = data.workers,
                                             .prefetch = kPrefetch});
  return [loader] { return loader->next(); };
}

void for_each_evaluation_batch(const StageLoaders& data, Split split,
                               const std::vector<int64_t>& indices, const TestConfig& config,
                               const std::string& during,
                               const std::function<void(const LoadedBatch&)>& visit) {
  const BatchSampler sampler = evaluation_sampler(
      indices, config.clips, data.evaluation_batch,
      config.spectrogram_crops == TestConfig::SpectrogramCrops::kSpread, config.crops);
  Loader loader(data.dataset, sampler,
                {.split = split,
                 .views = data.views,
                 .batch_count = sampler.batches,
                 .workers = data.workers,
                 .prefetch = kPrefetch});
  while (loader.batches_left() > 0) {
    check_interrupt(during);
    visit(loader.next());
  }
}

std::vector<int64_t> spread_indices(int64_t size, int64_t count) {
  count = std::min(size, count);
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; ++i) indices[i] = i * size / count;
  return indices;
}

}  // namespace avbench
