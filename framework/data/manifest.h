// The files of a data set, with their labels and splits, before anything is known of their content.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avbench::data {

enum class Split { kTrain, kVal, kTest };
inline constexpr Split kSplits[] = {Split::kTrain, Split::kVal, Split::kTest};

std::string_view to_string(Split split);  // "train", "val", "test"

struct ManifestEntry {
  std::string id;    // path as in the source, with #start-end if it is a part of the file
  std::string file;  // path as in the source: parts of one file have it in common
  std::filesystem::path path;
  std::string label;
  Split split = Split::kTrain;
  std::optional<double> start, end;  // seconds after the first frame; open if absent
};

// Sorted by split, then id. `source` is a folder <split>/<class>/<file> (hidden files, and those of
// is_left_behind(), are left out; id: the path below the folder), or a CSV file with a header that
// names the columns path, label, split and, if wanted, start and end; other columns are left alone
// (RFC 4180; relative paths start at the CSV file). Both spellings of a class are one
// (class_name.h). Whether an item is a file, and can be read, is not looked at. Throws UserError,
// for CSV with file:line; also if the folder of a split or a class cannot be read.
std::vector<ManifestEntry> read_source(const std::filesystem::path& source);

// Whether operating systems and file servers leave files or folders of this name behind:
// Thumbs.db, @eaDir.
bool is_left_behind(const std::string& name);

// Sorted, each once: a class's id is its position.
std::vector<std::string> class_names(const std::vector<ManifestEntry>& items);

}  // namespace avbench::data
