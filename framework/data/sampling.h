// Which part of a file a sample shows: a pure function of the request, the view and the file's
// length.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "avbench/views.h"
#include "config/clip_config.h"
#include "config/spectrogram_config.h"
#include "data/clip_place.h"
#include "data/colour_jitter.h"

namespace avbench::data {

// One row of a batch. With clips == 0 a training view, drawn from (seed, epoch, index); otherwise
// evaluation clip `clip` of `clips` and crop `crop` of `crops`, the same for every view name.
struct SampleRequest {
  int64_t index = 0;  // in the split
  uint64_t seed = 0;
  int64_t epoch = 0;
  int64_t clip = 0, clips = 0;
  int64_t crop = 0, crops = 1;
  bool spread = true;  // evaluation: spectrogram crops along the time axis, or all in the centre
  bool operator==(const SampleRequest&) const = default;
};

// `frames`: of the file, at least clip_span(). `starts`: where alone a clip may begin, ascending;
// empty: anywhere. Training: random start, crop and mirroring. Evaluation: position `clip` of
// linspace over the possible starts, rounded (the middle if clips is 1), and the centre crop, or
// position `crop` of linspace along the longer side.
ClipPlace place_clip(const SampleRequest& request, const ViewSpec& view, int64_t frames,
                     const config::ClipConfig& config, std::span<const int64_t> starts = {});

// The change of a training view's colours; nothing if none is configured, and in evaluation.
std::optional<ColourJitter> draw_jitter(const SampleRequest& request, const ViewSpec& view,
                                        const config::JitterConfig& config);

// Training: a random crop, independent of the video's. Evaluation: the centre, or position `clip`
// of linspace along the time axis.
Crop place_spectrogram(const SampleRequest& request, const ViewSpec& view,
                       const config::SpectrogramConfig& config);

}  // namespace avbench::data
