// Decoded files in memory, filled when a file is first asked for.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "data/sample_reader.h"

namespace avbench::data {

// For data sets that fit as a whole: nothing is ever thrown out. Safe for many threads.
class ContentCache {
 public:
  explicit ContentCache(int64_t samples) : contents_(samples) {}

  // Decodes with `reader` if the sample is not there yet.
  std::shared_ptr<const FileContent> get(const Sample& sample, SampleReader& reader);

  void put(const Sample& sample, FileContent content);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const FileContent>> contents_;  // by Sample::number
};

}  // namespace avbench::data
