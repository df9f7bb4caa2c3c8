#include "data/content_cache.h"

#include <utility>

namespace avbench::data {

std::shared_ptr<const FileContent> ContentCache::get(const Sample& sample, SampleReader& reader) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto& content = contents_.at(sample.number)) return content;
  }
  put(sample, reader.read_all(sample));
  const std::lock_guard lock(mutex_);
  return contents_[sample.number];
}

void ContentCache::put(const Sample& sample, FileContent content) {
  auto shared = std::make_shared<const FileContent>(std::move(content));
  const std::lock_guard lock(mutex_);
  auto& slot = contents_.at(sample.number);
  if (!slot) slot = std::move(shared);
}

}  // namespace avbench::data
