// Whether a sample can be used, by what is known of its file.
#pragma once

#include <string>
#include <vector>

#include "config/clip_config.h"
#include "config/spectrogram_config.h"
#include "data/index_cache.h"
#include "data/manifest.h"
#include "data/sample_reader.h"
#include "media/formats.h"

namespace avbench::data {

// The share of a stream's packets that may be damaged in a file that is used; one packet always
// may.
inline constexpr double kToleratedDamage = 0.02;

struct Verdict {
  media::FileStatus status = media::FileStatus::kOk;
  std::string message;  // why it is not kOk

  // A damaged file is used, and listed.
  bool usable() const {
    return status == media::FileStatus::kOk || status == media::FileStatus::kDamaged;
  }
};

struct Requirements {
  config::ClipConfig clip;
  config::SpectrogramConfig spectrogram;
  bool tolerate_damage = true;
  std::vector<std::string> formats = {};  // allowed beside the usual ones
  int64_t min_frames = 0;                 // fewer are too short, even if a clip needs less
};

// The part of the file that an item is. Its label and number are left to the caller.
Sample make_sample(const ManifestEntry& item, const IndexEntry& entry,
                   const config::ClipConfig& clip);

// Damage, silence and samples that are not finite count once the file was decoded.
Verdict validate(const Sample& sample, const Requirements& requirements,
                 const media::Formats& formats);

}  // namespace avbench::data
