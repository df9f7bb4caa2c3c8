#include "report/csv_value.h"

#include <fmt/format.h>

namespace avbench::report {

std::string csv_value(const io::Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

}  // namespace avbench::report
