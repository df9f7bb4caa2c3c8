// Which samples of a source can be used, and why the others cannot. The work belongs to the file:
// it is demuxed, decoded and remembered once, however many samples are parts of it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "data/content_cache.h"
#include "data/index_cache.h"
#include "data/manifest.h"
#include "data/sample_validator.h"

namespace avbench::data {

struct CheckedSample {
  Sample sample;  // its label is left to the caller; its number is the item's
  Verdict verdict;
};

class FileValidator {
 public:
  using Progress = std::function<void(int64_t done, int64_t total)>;

  // `known`: what earlier runs have found. Throws UserError on an unknown name among the formats.
  FileValidator(const std::vector<ManifestEntry>& items, const IndexEntries& known,
                const Requirements& requirements, int64_t threads, Progress progress);

  // Demuxes the files that are not known.
  void index();

  // Bytes of all usable samples, decoded.
  int64_t content_bytes() const;

  // Decodes the files that are not known to decode and of which a sample is usable so far; those
  // that are a sample as a whole into `cache`, if it is not null.
  void decode(ContentCache* cache);

  std::vector<CheckedSample>& samples() { return samples_; }  // by item

  // What is known now. Left out is what may be the machine's or the command's fault: time-outs,
  // files that cannot be opened, formats that are not allowed.
  IndexEntries entries() const;
  bool changed() const { return changed_; }  // whether entries() differs from `known`

 private:
  struct File {
    std::string name;           // ManifestEntry::file
    std::vector<size_t> items;  // that are the file, or parts of it
    IndexEntry entry;
  };

  void index_one(File& file);
  void decode_one(File& file, SampleReader& reader, ContentCache* cache);
  void validate_samples(const File& file);
  void step();

  const std::vector<ManifestEntry>& items_;
  const IndexEntries& known_;
  Requirements requirements_;
  media::Formats formats_;
  int64_t threads_;
  Progress progress_;
  std::vector<File> files_;  // in the order of their first item
  std::vector<CheckedSample> samples_;
  std::mutex mutex_;  // of what follows
  int64_t steps_ = 0;
  bool changed_ = false;
};

}  // namespace avbench::data
