#include "io/json.h"

#include <cmath>
#include <stdexcept>

#include "io/atomic_file.h"
#include "io/error.h"

namespace avbench {
namespace {

void refuse_non_finite(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    throw std::invalid_argument("JSON cannot hold NaN or infinity");
  }
  if (value.is_structured()) {
    for (const Json& child : value) refuse_non_finite(child);
  }
}

}  // namespace

std::string canonical_json(const Json& value) {
  refuse_non_finite(value);
  return value.dump();
}

Json read_json(const std::filesystem::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::parse_error& error) {
    throw UserError("damaged file " + path.string() + ": " + error.what());
  }
}

}  // namespace avbench
