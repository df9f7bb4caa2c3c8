#include "report/cell_formats.h"

#include <fmt/format.h>

namespace avbench::report {
namespace {

std::string percent_over_seeds(double mean, double deviation, const TableRow& row) {
  if (row.seeds.size() < 2) return percent(mean);
  return fmt::format("{} ± {}", percent(mean), percent(deviation));
}

}  // namespace

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

namespace cell_formats {

std::string percent(const io::Json& share, const TableRow&) {
  return avbench::report::percent(share.get<double>());
}

std::string one_decimal(const io::Json& number, const TableRow&) {
  return fmt::format("{:.1f}", number.get<double>());
}

std::string whole(const io::Json& number, const TableRow&) {
  return fmt::format("{:.0f}", number.get<double>());
}

std::string four_digits(const io::Json& number, const TableRow&) {
  return fmt::format("{:.4g}", number.get<double>());
}

std::string mebibytes(const io::Json& bytes, const TableRow&) {
  return fmt::format("{}", bytes.get<int64_t>() >> 20);
}

std::string unless_zero(const io::Json& count, const TableRow&) {
  return count == 0 ? "" : count.dump();
}

std::string accuracy(const io::Json& mean, const TableRow& row) {
  return percent_over_seeds(mean.get<double>(), row.accuracy_std.value(), row);
}

std::string validation(const io::Json& mean, const TableRow& row) {
  if (row.accuracy_mean) return percent(mean, row);
  return percent_over_seeds(mean.get<double>(), row.validation_std, row);
}

std::string labels(const io::Json& train, const TableRow& row) {
  return fmt::format("{} + {}", train.get<int64_t>(), row.labels_validation);
}

}  // namespace cell_formats
}  // namespace avbench::report
