// Which files of a source can serve, and why the others cannot.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/content_cache.h"
#include "data/index_cache.h"
#include "data/manifest.h"
#include "data/sample_reader.h"

namespace avbench {

// Throws UserError if a crop is larger than what it is taken from.
void check_crops(const ClipConfig& clip, const SpectrogramConfig& spectrogram);

struct CheckedFile {
  IndexEntry entry;
  Sample sample;  // its label and number are left to the caller
  DecodeResult result;
};

class FileChecker {
 public:
  using Progress = std::function<void(int64_t done, int64_t total)>;

  // `known`: what earlier runs have found. `min_frames`: files with fewer are too short, even if a
  // clip needs less.
  FileChecker(const std::vector<Item>& items, const IndexEntries& known, const ClipConfig& clip,
              const SpectrogramConfig& spectrogram, int64_t threads, Progress progress,
              int64_t min_frames = 0);

  // Demuxes the files that are not known; those that cannot give a clip with sound are marked.
  void index();

  // Bytes of all usable files, decoded.
  int64_t content_bytes() const;

  // Decodes the usable files that are not known to decode, into `cache` if it is not null.
  void decode(ContentCache* cache);

  std::vector<CheckedFile>& files() { return files_; }

  // What is known now; time-outs are left out, as they may be the machine's fault.
  IndexEntries entries() const;
  bool learnt() const { return learnt_; }  // whether entries() differs from `known`

 private:
  void index_one(size_t i);
  void decode_one(size_t i, SampleReader& reader, ContentCache* cache);
  void step();

  const std::vector<Item>& items_;
  const IndexEntries& known_;
  ClipConfig clip_;
  SpectrogramConfig spectrogram_;
  int64_t threads_;
  Progress progress_;
  int64_t min_frames_;
  std::vector<CheckedFile> files_;  // by item
  std::mutex mutex_;                // of what follows
  int64_t steps_ = 0;
  bool learnt_ = false;
};

}  // namespace avbench
