// What the loader must supply to a method.
#pragma once

#include <string>
#include <vector>

#include "avbench/batch.h"

namespace avbench {

enum class Modality { kVideo, kAudio };

// When a view's clip is taken from the video, relative to the base view's.
enum class ViewTime { kSame, kIndependent };

// One named view. The base view's size, stride and crop are the protocol's; a further view of the
// same modality draws its own crop, and its own start if `time` is kIndependent.
struct ViewSpec {
  std::string name = kBaseView;
  Modality modality = Modality::kVideo;
  ViewTime time = ViewTime::kSame;
};

using Views = std::vector<ViewSpec>;

// The base view of both modalities, which every method of a comparison shares.
inline Views base_views() { return {{kBaseView, Modality::kVideo}, {kBaseView, Modality::kAudio}}; }

}  // namespace avbench
