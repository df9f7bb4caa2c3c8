// Classification of a split: clips, then the mean of a video's logits.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "stages/classifier.h"
#include "stages/stage_loaders.h"

namespace avbench::stages {

struct Evaluation {
  std::vector<int64_t> indices;  // of the split
  Tensor labels;                 // [N] int64
  Tensor view_logits;            // [N, clips, crops, classes]
  Tensor logits;                 // [N, classes], mean over clips and crops
  double accuracy = 0;           // of the videos, in [0, 1]
  double loss = 0;               // cross-entropy of the mean logits
};

// Throws std::runtime_error naming the files if a logit is not finite.
Evaluation evaluate(Classifier& classifier, const StageLoaders& data, data::Split split,
                    const std::vector<int64_t>& indices, const config::TestConfig& config,
                    const std::string& title, bool show_progress = false);

// Seconds for one clip of the validation split, loading included, from a few of them.
double probe_evaluation(Classifier& classifier, const StageLoaders& data);

// predictions.csv (a line a video) and predictions_clips.csv (a line a clip's crop).
// Scores are softmax probabilities.
void write_predictions(const Evaluation& evaluation, const data::Dataset& dataset,
                       data::Split split, const std::filesystem::path& folder);

// Batch-norm statistics and, in the frozen scope, the mean and deviation of the features, from
// `samples` clips of the training split. Labels are not used.
void reestimate_statistics(Classifier& classifier, const StageLoaders& data,
                           const config::BatchNormConfig& config);

}  // namespace avbench::stages
