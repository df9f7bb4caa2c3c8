// Which training files keep their labels when only a share of the labels is used.
#pragma once

#include <cstdint>
#include <vector>

namespace avbench::data {

// Positions in `labels` (class ids), ascending: of each class round(fraction * its files), at least
// one. A smaller fraction's files are among a larger one's; they depend on the seed alone.
std::vector<int64_t> label_subset(const std::vector<int64_t>& labels, double fraction,
                                  uint64_t seed);

}  // namespace avbench::data
