// A stored struct as a JSON object: its keys are the names in its fields() (io/fields.h).
//
// Members are bool, int64_t, uint64_t, double, std::string, Json (any value, kept as it is),
// another stored struct, and std::vector and std::optional of these; no value is null.
//
// Reading takes what writing made and nothing less: a key that is missing is never a default. Keys
// that are not listed are passed over, so that a file of a later version can be read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/fields.h"
#include "io/json.h"

namespace avbench::io {

// Throws std::invalid_argument on NaN and infinity, which JSON cannot hold.
template <class T>
Json write_fields(const T& object);

// `where`: the file, for the error. Throws UserError naming it, the key, got and expected.
template <class T>
T read_fields(const Json& json, const std::string& where);

namespace fields_detail {

// `name` of the field, for the error.
inline Json written(const char*, bool value) { return value; }
inline Json written(const char*, int64_t value) { return value; }
inline Json written(const char*, uint64_t value) { return value; }
inline Json written(const char*, const std::string& value) { return value; }
inline Json written(const char*, const Json& value) { return value; }
Json written(const char* name, double value);
template <class T>
Json written(const char*, const T& object) {
  return write_fields(object);
}
template <class T>
Json written(const char* name, const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(written(name, value));
  return array;
}
template <class T>
Json written(const char* name, const std::optional<T>& value) {
  return value ? written(name, *value) : Json();
}

struct Writer {
  Json object = Json::object();

  template <class T>
  void operator()(const char* name, const T& value) {
    object[name] = written(name, value);
  }
};

// Where a value stands: its file, and its key "rows[2].name".
struct Place {
  std::string file, key;
  Place at(const std::string& name) const;
  Place at(size_t index) const;
};

const Json& member(const Json& json, const std::string& name, const Place& place);
const Json& array(const Json& json, const Place& place);

void read(const Json& json, const Place& place, bool& value);
void read(const Json& json, const Place& place, int64_t& value);
void read(const Json& json, const Place& place, uint64_t& value);
void read(const Json& json, const Place& place, double& value);
void read(const Json& json, const Place& place, std::string& value);
inline void read(const Json& json, const Place&, Json& value) { value = json; }
template <class T>
void read(const Json& json, const Place& place, T& object);
template <class T>
void read(const Json& json, const Place& place, std::vector<T>& values) {
  values.clear();
  for (const Json& item : array(json, place)) {
    const size_t index = values.size();
    read(item, place.at(index), values.emplace_back());
  }
}
template <class T>
void read(const Json& json, const Place& place, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) read(json, place, value.emplace());
}

struct Reader {
  const Json& json;
  const Place& place;

  template <class T>
  void operator()(const char* name, T& value) {
    read(member(json, name, place), place.at(name), value);
  }
};

template <class T>
void read(const Json& json, const Place& place, T& object) {
  static_assert(lists_every_field<T>(), "fields() leaves out or repeats a member");
  Reader reader{json, place};
  fields(reader, object);
}

}  // namespace fields_detail

template <class T>
Json write_fields(const T& object) {
  static_assert(lists_every_field<T>(), "fields() leaves out or repeats a member");
  fields_detail::Writer writer;
  fields(writer, object);
  return std::move(writer.object);
}

template <class T>
T read_fields(const Json& json, const std::string& where) {
  T object;
  fields_detail::read(json, {.file = where, .key = ""}, object);
  return object;
}

}  // namespace avbench::io
