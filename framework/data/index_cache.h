// What was found out about the files of a source, kept between runs so that they need not be
// decoded again to know which are usable.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

#include "data/sample_reader.h"
#include "media/status.h"
#include "media/video_index.h"

namespace avbench {

struct IndexEntry {
  FileStamp stamp;
  std::shared_ptr<const VideoIndex> index;
  // After decoding everything; kTooShort and kNoAudio are judged anew by each configuration.
  FileStatus status = FileStatus::kOk;
  std::string message;
};

// One binary file a source, below $AVBENCH_CACHE, else $XDG_CACHE_HOME/avbench, else
// ~/.cache/avbench: sources may be read-only. A file of another version or a damaged one counts as
// absent; one that cannot be written is only a warning.
class IndexCache {
 public:
  explicit IndexCache(const std::filesystem::path& source);

  // The entry of item `id`, if the file is still the same.
  const IndexEntry* find(const std::string& id, const FileStamp& stamp) const;
  void put(const std::string& id, IndexEntry entry);
  void save()
      const;  // replaces the file; entries of files that have gone are dropped by the caller

  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path file_;
  std::unordered_map<std::string, IndexEntry> entries_;
};

// The folder described above.
std::filesystem::path user_cache_folder();

}  // namespace avbench
