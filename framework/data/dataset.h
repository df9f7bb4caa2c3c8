// The usable files of a source, and those that are not, with the reason.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/clip_config.h"
#include "config/data_config.h"
#include "config/run_config.h"
#include "config/spectrogram_config.h"
#include "data/content_cache.h"
#include "data/manifest.h"
#include "data/sample_reader.h"
#include "data/split_check.h"
#include "media/status.h"

namespace avbench::data {

// A file that cannot be used, or is used although it is damaged.
struct BadFile {
  std::string id;
  std::filesystem::path path;
  Split split = Split::kTrain;
  media::FileStatus status = media::FileStatus::kCorrupt;
  std::string message;
};

// Called with files done and their number, from one thread at a time. What it throws, open()
// throws.
using OpenProgress = std::function<void(int64_t done, int64_t total)>;

struct CheckedSample;

class Dataset {
 public:
  // Indexes every file of data.source and decodes it once, in run.workers threads
  // (0: one a processor); what was found
  // is kept for the next time (see index_cache.h). Files of classes that data.classes does not list
  // are passed over; those with fewer than `min_frames` frames are too short, whatever a clip
  // needs: for several data sets of the same files. Throws UserError if the source is wrong, if a
  // file is bad and data.on_bad is "fail", if no file is left, or if two splits share a part of a
  // file (split_check.h).
  static std::shared_ptr<const Dataset> open(const config::DataConfig& data,
                                             const config::ClipConfig& clip,
                                             const config::SpectrogramConfig& spectrogram,
                                             const config::RunConfig& run,
                                             const OpenProgress& progress = {},
                                             int64_t min_frames = 0);

  // Sorted names; of bad files too, so that class ids do not depend on what is excluded.
  const std::vector<std::string>& classes() const { return classes_; }

  int64_t size(Split split) const { return static_cast<int64_t>(samples(split).size()); }
  const std::vector<Sample>& samples(Split split) const {
    return splits_[static_cast<size_t>(split)];
  }
  // Throws std::out_of_range.
  const Sample& sample(Split split, int64_t index) const { return samples(split).at(index); }
  std::vector<int64_t> labels(Split split) const;  // class ids, by index

  const std::vector<BadFile>& excluded() const { return excluded_; }
  const std::vector<BadFile>& damaged() const { return damaged_; }  // used all the same

  // SHA-256 over id, class and the SHA-256 of the file of a split's samples: which data this is. A
  // file that was replaced by another is another sample.
  const std::string& hash(Split split) const { return hashes_[static_cast<size_t>(split)]; }

  // Files with the same bytes in different splits, which are warned of.
  const std::vector<SplitPair>& copies() const { return copies_; }

  std::vector<SplitMember> members(Split split) const;  // a split's samples, for split_check.h

  const config::ClipConfig& clip() const { return clip_; }
  const config::SpectrogramConfig& spectrogram() const { return spectrogram_; }

  // Null if the decoded files do not fit into run.cache_mib.
  ContentCache* cache() const { return cache_.get(); }

 private:
  Dataset(const config::ClipConfig& clip, const config::SpectrogramConfig& spectrogram)
      : clip_(clip), spectrogram_(spectrogram) {}

  void make_cache(int64_t bytes, int64_t limit_mib, int64_t samples);
  void take(const std::vector<ManifestEntry>& items, std::vector<CheckedSample>& samples);
  void make_hashes();
  void check_splits(const std::string& source);
  void report(
      const config::DataConfig& data) const;  // throws UserError if the data set cannot be used

  config::ClipConfig clip_;
  config::SpectrogramConfig spectrogram_;
  std::vector<std::string> classes_;
  std::array<std::vector<Sample>, 3> splits_;
  std::array<std::string, 3> hashes_;
  std::vector<BadFile> excluded_, damaged_;
  std::vector<SplitPair> copies_;
  std::unique_ptr<ContentCache> cache_;
};

}  // namespace avbench::data
