#include "io/json.h"

#include <cmath>
#include <stdexcept>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/sha256.h"

namespace avbench::io {
namespace {

constexpr const char* kChecksum = "checksum";

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

bool is_utf8(const std::string& text) {
  try {
    return !Json(text).dump().empty();
  } catch (const Json::type_error&) {
    return false;
  }
}

void write_json(const std::filesystem::path& path, const Json& value) {
  Json file = value;
  if (file.is_object()) file[kChecksum] = sha256_hex(value.dump());
  write_file_atomically(path, file.dump(1) + "\n");
}

Json read_json(const std::filesystem::path& path) {
  try {
    Json value = Json::parse(read_file(path));
    if (!value.is_object() || !value.contains(kChecksum)) return value;
    const Json expected = value[kChecksum];
    value.erase(kChecksum);
    if (expected != sha256_hex(value.dump())) {
      throw UserError("damaged file " + path.string() + ": its content differs from its checksum");
    }
    return value;
  } catch (const Json::exception& error) {  // also: a number out of range
    throw UserError("damaged file " + path.string() + ": " + error.what());
  }
}

}  // namespace avbench::io
