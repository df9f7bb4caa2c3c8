#include "experiment/cost_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/label_subset.h"
#include "stages/pretrain.h"

namespace avbench::experiment {
namespace {

// `finals`: checkpoints of the model alone that stay.
int64_t checkpoint_bytes(const train::StepCost& cost, int64_t steps, int64_t finals,
                         const config::RunConfig& run) {
  const int64_t kept = std::min(run.keep_checkpoints, steps / run.checkpoint_every);
  return finals * cost.model_bytes + kept * (cost.model_bytes + cost.optimizer_bytes);
}

// The last epoch always is validated.
int64_t validations(int64_t epochs, int64_t every) { return (epochs + every - 1) / every; }

std::string duration(double seconds) {
  if (seconds < 99.5) return fmt::format("{:.0f} s", std::max(1.0, std::ceil(seconds)));
  const auto minutes = static_cast<int64_t>(std::llround(seconds / 60));
  if (minutes < 100) return fmt::format("{} min", minutes);
  if (minutes < 100 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  return fmt::format("{} days", (minutes + 720) / 1440);
}

}  // namespace

Workload workload(const config::RowConfig& row, const RowDatasets& data, int64_t seed) {
  const config::ProtocolConfig& p = row.protocol;
  const int64_t samples = data.pretraining->size(data::Split::kTrain);
  const auto validation = static_cast<int64_t>(
      data::label_subset(data.labelled->labels(data::Split::kVal), p.data.validation_fraction, seed)
          .size());
  Workload work;
  work.labels = static_cast<int64_t>(
      data::label_subset(data.labelled->labels(data::Split::kTrain), p.data.label_fraction, seed)
          .size());
  if (!row.method.empty() && row.pretrained) {
    work.pretrain_steps = p.pretrain.epochs * (samples / std::min(p.pretrain.batch_size, samples));
    const int64_t held_out = data.pretraining->size(data::Split::kVal);
    const int64_t watched = std::min(stages::kDiagnosticSamples, held_out > 0 ? held_out : samples);
    const bool chosen = p.pretrain.select == config::PretrainConfig::Select::kKnn;
    work.pretrain_clips = validations(p.pretrain.epochs, p.pretrain.validate_every) *
                          (watched + (chosen ? work.labels + validation : 0));
    work.pretrain_finals = chosen ? 2 : 1;
  }
  const config::FinetuneConfig& finetune = p.finetune;
  work.finetune_steps =
      finetune.epochs * (work.labels / std::min(finetune.batch_size, work.labels));
  const int64_t validated = validations(finetune.epochs, finetune.validate_every);
  const int64_t reestimate = p.batch_norm.reestimate ? 1 : 0;
  const int64_t passes = finetune.scope == config::FinetuneConfig::Scope::kFrozen
                             ? reestimate + 1
                             : reestimate * validated;
  const int64_t statistics =
      passes * std::min(p.batch_norm.samples, data.labelled->size(data::Split::kTrain));
  work.finetune_clips = validated * validation + statistics + work.labels + validation;
  work.test_clips = data.labelled->size(data::Split::kTest) * stages::views_of(p.test);
  return work;
}

Estimate& Estimate::operator+=(const Estimate& other) {
  seconds += other.seconds;
  bytes += other.bytes;
  return *this;
}

Estimate pretrain_estimate(const Workload& work, const RunCost& cost,
                           const config::RunConfig& run) {
  return {static_cast<double>(work.pretrain_steps) * cost.pretrain.seconds +
              static_cast<double>(work.pretrain_clips) * cost.clip_seconds,
          checkpoint_bytes(cost.pretrain, work.pretrain_steps, work.pretrain_finals, run)};
}

Estimate finetune_estimate(const Workload& work, const RunCost& cost,
                           const config::RunConfig& run) {
  return {static_cast<double>(work.finetune_steps) * cost.finetune.seconds +
              static_cast<double>(work.finetune_clips + work.test_clips) * cost.clip_seconds,
          checkpoint_bytes(cost.finetune, work.finetune_steps, 2, run)};
}

std::string to_string(const Estimate& estimate) {
  return fmt::format("about {}, {:.0f} MiB", duration(estimate.seconds),
                     std::ceil(static_cast<double>(estimate.bytes) / (1 << 20)));
}

}  // namespace avbench::experiment
