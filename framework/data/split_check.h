// Whether the splits of a data set are apart: no file, and no part of one, on both sides.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/manifest.h"

namespace avbench::data {

struct SplitMember {
  Split split = Split::kTrain;
  std::string id;
  std::filesystem::path path;
  std::pair<double, double> segment{0, -1};  // [begin, end) in seconds; end < 0: the file's
  int64_t bytes = 0;                         // of the file: files of two sizes are two files
  std::string sha256;                        // of its bytes; "": not known
};

struct SplitPair {
  SplitMember a, b;  // in the order of their splits
};

struct Overlaps {
  std::vector<SplitPair> first;  // of many only some
  int64_t count = 0;             // of all
};

// Pairs of members of different splits that share some time of one file. Paths name one file if
// they lead to the same place, through links too; parts that only touch share nothing. At most
// `shown` pairs are listed, in the order of files and times. O(n log n).
Overlaps find_overlaps(const std::vector<SplitMember>& members, size_t shown = 20);

// Throws UserError that names the first overlaps, if there are any. `source`: for the message.
void require_apart(const std::vector<SplitMember>& members, const std::string& source);

// Files with the same bytes under two names in different splits. Each is in at least one pair:
// with the first of another split, so that many copies make no more pairs than files.
std::vector<SplitPair> find_copies(const std::vector<SplitMember>& members);

// Logs a warning that names the first copies, if there are any.
void warn_of_copies(const std::vector<SplitPair>& copies, const std::string& source);

}  // namespace avbench::data
