// The files of a data set, with their labels and splits, before anything is known of their content.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace avbench {

enum class Split { kTrain, kVal, kTest };
inline constexpr Split kSplits[] = {Split::kTrain, Split::kVal, Split::kTest};

std::string_view to_string(Split split);  // "train", "val", "test"

struct Item {
  std::string id;  // path as in the source, with #start-end if it is a part of the file
  std::filesystem::path path;
  std::string label;
  Split split = Split::kTrain;
  std::optional<double> start, end;  // seconds after the first frame; open if absent
};

// Sorted by split, then id. `source` is a folder <split>/<class>/<file> (hidden files are left out;
// id: the path below the folder), or a CSV file with a header that names the columns path, label,
// split and, if wanted, start and end; other columns are left alone (RFC 4180; relative paths start
// at the CSV file). Throws UserError, for CSV with file:line.
std::vector<Item> read_source(const std::filesystem::path& source);

// Sorted, each once: a class's id is its position.
std::vector<std::string> class_names(const std::vector<Item>& items);

}  // namespace avbench
