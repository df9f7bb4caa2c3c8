#include "stages/stage_loaders.h"

#include <algorithm>

#include "device/place.h"
#include "runtime/interrupt.h"

namespace avbench::stages {
namespace {

constexpr int kPrefetch = 3;  // batches

data::LoadedBatch next_on(c10::Device device, data::Loader& loader) {
  data::LoadedBatch batch = loader.next();
  if (device.is_cpu()) return batch;
  batch.batch = device::batch_on(device, batch.batch);
  batch.labels = batch.labels.to(device);
  return batch;
}

}  // namespace

Views modality_views(config::Modalities modality) {
  Views views;
  if (modality != config::Modalities::kAudio) views.push_back({kBaseView, Modality::kVideo});
  if (modality != config::Modalities::kVideo) views.push_back({kBaseView, Modality::kAudio});
  return views;
}

train::NextBatch open_training(const StageLoaders& data, std::vector<int64_t> indices,
                               int64_t batch_size, uint64_t seed, int64_t first_step,
                               int64_t count) {
  const auto loader = std::make_shared<data::Loader>(
      data.dataset, data::training_sampler(std::move(indices), batch_size, seed),
      data::LoaderOptions{.split = data::Split::kTrain,
                          .views = data.views,
                          .first_batch = first_step,
                          .batch_count = count,
                          .workers = data.workers,
                          .prefetch = kPrefetch});
  return [loader, device = data.device] { return next_on(device, *loader); };
}

void for_each_evaluation_batch(const StageLoaders& data, data::Split split,
                               const std::vector<int64_t>& indices,
                               const config::TestConfig& config, const std::string& during,
                               const std::function<void(const data::LoadedBatch&)>& visit) {
  const data::BatchSampler sampler = data::evaluation_sampler(
      indices, config.clips, data.evaluation_batch,
      config.spectrogram_crops == config::TestConfig::SpectrogramCrops::kSpread, config.crops);
  data::Loader loader(data.dataset, sampler,
                      {.split = split,
                       .views = data.views,
                       .batch_count = sampler.batches,
                       .workers = data.workers,
                       .prefetch = kPrefetch});
  while (loader.batches_left() > 0) {
    runtime::check_interrupt(during);
    visit(next_on(data.device, loader));
  }
}

std::vector<int64_t> spread_indices(int64_t size, int64_t count) {
  count = std::min(size, count);
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; ++i) indices[i] = i * size / count;
  return indices;
}

}  // namespace avbench::stages
