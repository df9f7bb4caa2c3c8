#include "stages/evaluation.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "encoders/batch_norm_stats.h"
#include "io/atomic_file.h"
#include "io/csv.h"
#include "runtime/philox_stream.h"
#include "runtime/progress.h"
#include "runtime/trace.h"
#include "stages/finite_check.h"
#include "train/non_finite.h"
#include "train/run_layout.h"

namespace avbench::stages {
namespace {

std::string scores_text(const Tensor& probabilities) {
  std::string text;
  const auto values = probabilities.accessor<float, 1>();
  for (int64_t c = 0; c < values.size(0); ++c) text += fmt::format(",{:.6g}", values[c]);
  return text;
}

std::string score_header(const std::vector<std::string>& classes) {
  std::string text;
  for (const std::string& name : classes) {
    text += ',';
    text += io::csv_field("score_" + name);
  }
  return text;
}

// Files of one class lie side by side: shuffled, and whole batches only, so that every batch is a
// fair and equal share.
std::vector<int64_t> statistics_indices(const StageLoaders& data, int64_t samples) {
  const int64_t size = data.dataset->size(data::Split::kTrain);
  int64_t count = std::min(size, samples);
  if (count > data.evaluation_batch) count -= count % data.evaluation_batch;
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; ++i) indices[i] = runtime::permute(i, size, 0, 0);
  return indices;
}

constexpr const char* kStatisticsStage = "re-estimating statistics";

using VisitBatches = std::function<void(const std::function<void(const data::LoadedBatch&)>&)>;

// One clip that is not finite spoils them for all.
void require_finite_statistics(Towers& towers, const StageLoaders& data,
                               const VisitBatches& visit_batches) {
  const auto buffers = towers.buffers();
  const bool finite = std::all_of(buffers.begin(), buffers.end(), [](const Tensor& buffer) {
    return buffer.isfinite().all().item<bool>();
  });
  if (finite) return;
  std::vector<std::string> faulty;
  visit_batches([&](const data::LoadedBatch& batch) {
    for (const int64_t row : train::non_finite_rows(batch.batch)) {
      faulty.push_back(file_text(*data.dataset, data::Split::kTrain, batch.requests.at(row).index));
    }
  });
  throw std::runtime_error(fmt::format("{}: those of batch norm are not finite. {}",
                                       kStatisticsStage, train::remedy_for(faulty)));
}

}  // namespace

Evaluation evaluate(Classifier& classifier, const StageLoaders& data, data::Split split,
                    const std::vector<int64_t>& indices, const config::TestConfig& config,
                    const std::string& title, bool show_progress) {
  const runtime::TracePhase phase("evaluate", title);
  const at::NoGradGuard no_grad;
  classifier.set_evaluation();
  std::vector<Tensor> logits, labels;
  std::optional<runtime::Progress> progress;
  if (show_progress)
    progress.emplace(title, static_cast<int64_t>(indices.size()) * views_of(config));
  int64_t done = 0;
  FiniteCheck check(data, split, title, "logits");
  for_each_evaluation_batch(data, split, indices, config, title,
                            [&](const data::LoadedBatch& batch) {
                              logits.push_back(classifier.forward(batch.batch).values.cpu());
                              check.add(batch, logits.back());
                              labels.push_back(batch.labels.clone().cpu());
                              done += batch.labels.size(0);
                              if (progress) progress->update(done);
                            });
  check.require_all();
  Evaluation result{.indices = indices};
  const auto videos = static_cast<int64_t>(indices.size());
  const Tensor all = at::cat(logits);
  result.view_logits = all.view({videos, config.clips, config.crops, all.size(1)});
  result.logits = result.view_logits.mean({1, 2});
  result.labels = at::cat(labels).view({videos, views_of(config)}).select(1, 0).contiguous();
  result.accuracy = result.logits.argmax(1).eq(result.labels).to(at::kDouble).mean().item<double>();
  result.loss = torch::nn::functional::cross_entropy(result.logits, result.labels).item<double>();
  if (!std::isfinite(result.loss)) {
    throw std::runtime_error(
        fmt::format("{}: the loss is {}, the largest logit {:.3g}: the weights are at fault, a "
                    "lower learning rate "
                    "or protocol.*.clip_norm may help.",
                    title, result.loss, all.abs().max().item<double>()));
  }
  return result;
}

double probe_evaluation(Classifier& classifier, const StageLoaders& data) {
  const auto clips =
      std::min<int64_t>(data.dataset->size(data::Split::kVal), 2 * data.evaluation_batch);
  const std::vector<int64_t> indices = spread_indices(clips, clips);
  const auto seconds = [&](const std::vector<int64_t>& chosen) {
    const auto begin = std::chrono::steady_clock::now();
    evaluate(classifier, data, data::Split::kVal, chosen, kOneClip, "probe");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  seconds({0});  // allocates
  return seconds(indices) / static_cast<double>(clips);
}

void write_predictions(const Evaluation& evaluation, const data::Dataset& dataset,
                       data::Split split, const std::filesystem::path& folder) {
  const auto& classes = dataset.classes();
  std::string videos = "id,label,predicted" + score_header(classes) + "\n";
  std::string views = "id,clip,crop,label,predicted" + score_header(classes) + "\n";
  const Tensor video_scores = evaluation.logits.softmax(1);
  const Tensor view_scores = evaluation.view_logits.softmax(3);
  const Tensor video_best = evaluation.logits.argmax(1),
               view_best = evaluation.view_logits.argmax(3);
  for (size_t n = 0; n < evaluation.indices.size(); ++n) {
    const auto row = static_cast<int64_t>(n);
    const std::string id = io::csv_field(dataset.sample(split, evaluation.indices[n]).id);
    const std::string label = io::csv_field(classes.at(evaluation.labels[row].item<int64_t>()));
    const auto name = [&](const Tensor& best) {
      return io::csv_field(classes.at(best.item<int64_t>()));
    };
    videos += fmt::format("{},{},{}{}\n", id, label, name(video_best[row]),
                          scores_text(video_scores[row]));
    for (int64_t k = 0; k < evaluation.view_logits.size(1); ++k) {
      for (int64_t c = 0; c < evaluation.view_logits.size(2); ++c) {
        views += fmt::format("{},{},{},{},{}{}\n", id, k, c, label, name(view_best[row][k][c]),
                             scores_text(view_scores[row][k][c]));
      }
    }
  }
  io::write_file_atomically(folder / train::run_layout::kPredictions, videos);
  io::write_file_atomically(folder / train::run_layout::kClipPredictions, views);
}

void reestimate_statistics(Classifier& classifier, const StageLoaders& data,
                           const config::BatchNormConfig& config) {
  if (!config.reestimate && !classifier.frozen()) return;
  const runtime::TracePhase phase("re-estimate statistics");
  const at::NoGradGuard no_grad;
  const auto indices = statistics_indices(data, config.samples);
  const auto visit_batches = [&](const std::function<void(const data::LoadedBatch&)>& visit) {
    for_each_evaluation_batch(data, data::Split::kTrain, indices, kOneClip, kStatisticsStage,
                              visit);
  };
  if (config.reestimate) {
    encoders::reestimate_batch_norm(
        classifier.towers(), [&](const std::function<void(const Batch&)>& visit) {
          visit_batches([&](const data::LoadedBatch& batch) { visit(batch.batch); });
        });
    require_finite_statistics(classifier.towers(), data, visit_batches);
  }
  if (!classifier.frozen()) return;
  classifier.set_evaluation();
  classifier.standardise(at::zeros({1}), at::ones({1}));
  FiniteCheck check(data, data::Split::kTrain, kStatisticsStage, "features");
  std::vector<Tensor> features;
  visit_batches([&](const data::LoadedBatch& batch) {
    features.push_back(classifier.forward(batch.batch).features);
    check.add(batch, features.back());
  });
  check.require_all();
  const Tensor all = at::cat(features);
  classifier.standardise(all.mean(0), all.std(0, /*unbiased=*/false));
}

}  // namespace avbench::stages
