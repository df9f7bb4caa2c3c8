#include "io/json_fields.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "io/error.h"

namespace avbench::io::fields_detail {
namespace {

constexpr size_t kShown = 60;

[[noreturn]] void refuse(const Json& got, const Place& place, const std::string& expected) {
  std::string text = got.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  throw UserError(place.file + ": " + (place.key.empty() ? "" : "key '" + place.key + "': ") +
                  "got " + text + ", expected " + expected);
}

}  // namespace

Json written(const char* name, double value) {
  if (!std::isfinite(value)) {
    throw std::invalid_argument(std::string(name) + " is " + std::to_string(value) +
                                ": JSON cannot hold NaN or infinity");
  }
  return value;
}

Place Place::at(const std::string& name) const {
  return {file, key.empty() ? name : key + "." + name};
}

Place Place::at(size_t index) const { return {file, key + "[" + std::to_string(index) + "]"}; }

const Json& member(const Json& json, const std::string& name, const Place& place) {
  if (!json.is_object()) refuse(json, place, "an object");
  const auto found = json.find(name);
  if (found == json.end()) {
    throw UserError(place.file + ": key '" + place.at(name).key + "' is missing");
  }
  return *found;
}

const Json& array(const Json& json, const Place& place) {
  if (!json.is_array()) refuse(json, place, "a list");
  return json;
}

void read(const Json& json, const Place& place, bool& value) {
  if (!json.is_boolean()) refuse(json, place, "true or false");
  value = json.get<bool>();
}

void read(const Json& json, const Place& place, int64_t& value) {
  const bool fits = !json.is_number_unsigned() ||
                    json.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()};
  if (!json.is_number_integer() || !fits) refuse(json, place, "an integer");
  value = json.get<int64_t>();
}

void read(const Json& json, const Place& place, uint64_t& value) {
  const bool fits = json.is_number_unsigned() || json.is_number_integer();
  if (!fits || (!json.is_number_unsigned() && json.get<int64_t>() < 0)) {
    refuse(json, place, "an integer from 0");
  }
  value = json.get<uint64_t>();
}

void read(const Json& json, const Place& place, double& value) {
  if (!json.is_number()) refuse(json, place, "a number");
  value = json.get<double>();
}

void read(const Json& json, const Place& place, std::string& value) {
  if (!json.is_string()) refuse(json, place, "text");
  value = json.get<std::string>();
}

}  // namespace avbench::io::fields_detail
