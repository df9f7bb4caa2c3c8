#include "stages/features.h"

#include <ATen/ATen.h>

#include "stages/finite_check.h"

namespace avbench::stages {

tensors::StateDict extract_features(Classifier& classifier, const StageLoaders& data,
                                    data::Split split, const std::string& title) {
  const at::NoGradGuard no_grad;
  classifier.set_evaluation();
  std::map<std::string, std::vector<Tensor>> rows;
  FiniteCheck check(data, split, title, "features");
  const int64_t size = data.dataset->size(split);
  for_each_evaluation_batch(
      data, split, spread_indices(size, size), kOneClip, title,
      [&](const data::LoadedBatch& batch) {
        const Logits seen = classifier.forward(batch.batch);
        rows["features"].push_back(seen.features);
        rows["labels"].push_back(batch.labels.clone());
        if (seen.video.defined()) rows["video"].push_back(seen.video);
        if (seen.audio.defined()) rows["audio"].push_back(seen.audio);
        for (const Tensor* part : {&seen.features, &seen.video, &seen.audio}) {
          if (part->defined()) check.add(batch, *part);
        }
      });
  check.require_all();
  tensors::StateDict result;
  for (const auto& [name, parts] : rows) result[name] = at::cat(parts).cpu();
  return result;
}

}  // namespace avbench::stages
