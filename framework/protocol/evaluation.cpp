#include "protocol/evaluation.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "data/random.h"
#include "encoders/batch_norm_stats.h"
#include "io/atomic_file.h"
#include "io/csv.h"
#include "io/trace.h"
#include "train/progress.h"

namespace avbench {
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
    text += csv_field("score_" + name);
  }
  return text;
}

// Files of one class lie side by side: shuffled, and whole batches only, so that every batch is a
// fair and equal share.
std::vector<int64_t> statistics_indices(const StageData& data, int64_t samples) {
  const int64_t size = data.dataset->size(Split::kTrain);
  int64_t count = std::min(size, samples);
  if (count > data.evaluation_batch) count -= count % data.evaluation_batch;
  std::vector<int64_t> indices(count);
  for (int64_t i = 0; i < count; ++i) indices[i] = permute(i, size, 0, 0);
  return indices;
}

}  // namespace

Evaluation evaluate(Classifier& classifier, const StageData& data, Split split,
                    const std::vector<int64_t>& indices, const TestConfig& config,
                    const std::string& title, bool show_progress) {
  const TracePhase phase("evaluate", title);
  const at::NoGradGuard no_grad;
  classifier.set_evaluation();
  std::vector<Tensor> logits, labels;
  std::optional<Progress> progress;
  if (show_progress)
    progress.emplace(title, static_cast<int64_t>(indices.size()) * views_of(config));
  int64_t done = 0;
  for_each_evaluation_batch(data, split, indices, config, title, [&](const LoadedBatch& batch) {
    logits.push_back(classifier.forward(batch.batch).values);
    labels.push_back(batch.labels.clone());
    done += batch.labels.size(0);
    if (progress) progress->update(done);
  });
  Evaluation result{.indices = indices};
  const auto videos = static_cast<int64_t>(indices.size());
  const Tensor all = at::cat(logits);
  result.view_logits = all.view({videos, config.clips, config.crops, all.size(1)});
  result.logits = result.view_logits.mean({1, 2});
  result.labels = at::cat(labels).view({videos, views_of(config)}).select(1, 0).contiguous();
  result.accuracy = result.logits.argmax(1).eq(result.labels).to(at::kDouble).mean().item<double>();
  result.loss = torch::nn::functional::cross_entropy(result.logits, result.labels).item<double>();
  return result;
}

double probe_evaluation(Classifier& classifier, const StageData& data) {
  const auto clips = std::min<int64_t>(data.dataset->size(Split::kVal), 2 * data.evaluation_batch);
  const std::vector<int64_t> indices = spread_indices(clips, clips);
  const auto seconds = [&](const std::vector<int64_t>& chosen) {
    const auto begin = std::chrono::steady_clock::now();
    evaluate(classifier, data, Split::kVal, chosen, kOneClip, "probe");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  seconds({0});  // allocates
  return seconds(indices) / static_cast<double>(clips);
}

void write_predictions(const Evaluation& evaluation, const Dataset& dataset, Split split,
                       const std::filesystem::path& folder) {
  const auto& classes = dataset.classes();
  std::string videos = "id,label,predicted" + score_header(classes) + "\n";
  std::string views = "id,clip,crop,label,predicted" + score_header(classes) + "\n";
  const Tensor video_scores = evaluation.logits.softmax(1);
  const Tensor view_scores = evaluation.view_logits.softmax(3);
  const Tensor video_best = evaluation.logits.argmax(1),
               view_best = evaluation.view_logits.argmax(3);
  for (size_t n = 0; n < evaluation.indices.size(); ++n) {
    const auto row = static_cast<int64_t>(n);
    const std::string id = csv_field(dataset.sample(split, evaluation.indices[n]).id);
    const std::string label = csv_field(classes.at(evaluation.labels[row].item<int64_t>()));
    const auto name = [&](const Tensor& best) {
      return csv_field(classes.at(best.item<int64_t>()));
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
  write_file_atomically(folder / "predictions.csv", videos);
  write_file_atomically(folder / "predictions_clips.csv", views);
}

void reestimate_statistics(Classifier& classifier, const StageData& data,
                           const BatchNormConfig& config) {
  if (!config.reestimate && !classifier.frozen()) return;
  const TracePhase phase("re-estimate statistics");
  const at::NoGradGuard no_grad;
  const auto indices = statistics_indices(data, config.samples);
  const auto visit_batches = [&](const std::function<void(const Batch&)>& visit) {
    for_each_evaluation_batch(data, Split::kTrain, indices, kOneClip, "re-estimating statistics",
                              [&](const LoadedBatch& batch) { visit(batch.batch); });
  };
  if (config.reestimate) reestimate_batch_norm(classifier.towers(), visit_batches);
  if (!classifier.frozen()) return;
  classifier.set_evaluation();
  classifier.standardise(at::zeros({1}), at::ones({1}));
  std::vector<Tensor> features;
  visit_batches(
      [&](const Batch& batch) { features.push_back(classifier.forward(batch).features); });
  const Tensor all = at::cat(features);
  classifier.standardise(all.mean(0), all.std(0, /*unbiased=*/false));
}

}  // namespace avbench
