// Features of a split, for use elsewhere.
#pragma once

#include "stages/classifier.h"
#include "stages/stage_loaders.h"

namespace avbench::stages {

// The middle clip of every file of `split`, in order: "video" and "audio" [N, D] of the towers (of
// the modalities in data.views), "features" [N, F] as the classifier sees them, "labels" [N].
// Throws std::runtime_error if a feature is not finite.
tensors::StateDict extract_features(Classifier& classifier, const StageLoaders& data,
                                    data::Split split, const std::string& title);

}  // namespace avbench::stages
