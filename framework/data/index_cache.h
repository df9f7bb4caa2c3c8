// What was found out about the files of a source, kept between runs so that they need not be
// decoded again to know which of them are usable.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "data/sample_reader.h"
#include "io/fields.h"
#include "media/video_index.h"

namespace avbench::data {

// What is known of a file, however many samples are parts of it.
struct IndexEntry {
  FileStamp stamp;
  std::string sha256;  // of its bytes
  std::shared_ptr<const media::VideoIndex> index;
};
template <class V>
constexpr void fields(V& v, io::MaybeConst<IndexEntry> auto& entry) {
  v("stamp", entry.stamp);
  v("sha256", entry.sha256);
  v("index", entry.index);
}
static_assert(io::lists_every_field<IndexEntry>());

using IndexEntries = std::unordered_map<std::string, IndexEntry>;  // by ManifestEntry::file

// One file a source, below $AVBENCH_CACHE, else $XDG_CACHE_HOME/avbench, else ~/.cache/avbench:
// sources may be read-only.
std::filesystem::path index_cache_file(const std::filesystem::path& source);

// A missing file, one of another version and a damaged one are the same: no entries.
IndexEntries load_index_cache(const std::filesystem::path& file);

// Replaces the file. Throws std::runtime_error or UserError if it cannot be written.
void save_index_cache(const std::filesystem::path& file, const IndexEntries& entries);

}  // namespace avbench::data
