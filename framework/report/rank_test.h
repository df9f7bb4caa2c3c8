// Mann and Whitney's U-test of two small samples.
#pragma once

#include <vector>

namespace avbench::report {

struct RankTest {
  double u;        // pairs in which the first sample's value is the larger, ties counting half
  double p_value;  // two-sided: probability that a difference as large comes by chance
};

// Exact where there are no ties and both have at most 20 values; else the normal approximation with
// corrections for ties and continuity, as scipy.stats.mannwhitneyu computes them. Needs at least
// one value each.
RankTest mann_whitney(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace avbench::report
