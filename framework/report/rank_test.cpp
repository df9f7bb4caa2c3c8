#include "report/rank_test.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

namespace avbench::report {
namespace {

// At index u, the share of the orders of n and m values whose U is u. It is built up value by
// value, the largest of which belongs to either sample.
std::vector<double> distribution(size_t n, size_t m) {
  std::vector<std::vector<double>> counts(m + 1, std::vector<double>{1});  // without first values
  for (size_t i = 1; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1);
    next[0] = {1};
    for (size_t j = 1; j <= m; ++j) {
      next[j].assign(i * j + 1, 0);
      // The largest is a first value, above all j; or a second one.
      for (size_t u = 0; u < counts[j].size(); ++u) next[j][u + j] += counts[j][u];
      for (size_t u = 0; u < next[j - 1].size(); ++u) next[j][u] += next[j - 1][u];
    }
    counts = std::move(next);
  }
  double all = 0;
  for (const double count : counts[m]) all += count;
  for (double& count : counts[m]) count /= all;
  return counts[m];
}

double exact(double u, size_t n, size_t m) {
  const std::vector<double> shares = distribution(n, m);
  const auto smaller = static_cast<size_t>(std::min(u, static_cast<double>(n * m) - u));
  double p = 0;
  for (size_t i = 0; i <= smaller; ++i) p += shares[i];
  return std::min(1.0, 2 * p);
}

double approximate(double u, size_t n, size_t m, const std::map<double, double>& ties) {
  const auto first = static_cast<double>(n), second = static_cast<double>(m), all = first + second;
  double correction = 0;
  for (const auto& [value, count] : ties) correction += count * count * count - count;
  const double variance =
      first * second / 12 * (all + 1 - correction / (all * std::max(1.0, all - 1)));
  if (variance <= 0) return 1;  // all values are the same
  const double distance = std::abs(u - first * second / 2) - 0.5;
  return std::min(1.0, std::erfc(std::max(0.0, distance) / std::sqrt(2 * variance)));
}

}  // namespace

RankTest mann_whitney(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) throw std::invalid_argument("mann_whitney: an empty sample");
  double u = 0;
  for (const double x : a) {
    for (const double y : b) u += x > y ? 1 : x == y ? 0.5 : 0;
  }
  std::map<double, double> ties;
  for (const double x : a) ++ties[x];
  for (const double y : b) ++ties[y];
  const bool tied = ties.size() < a.size() + b.size();
  constexpr size_t kExact = 20;
  const bool small = a.size() <= kExact && b.size() <= kExact;
  return {u,
          small && !tied ? exact(u, a.size(), b.size()) : approximate(u, a.size(), b.size(), ties)};
}

}  // namespace avbench::report
