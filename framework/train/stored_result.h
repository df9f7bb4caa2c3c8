// What a finished stage has left, to be read again.
#pragma once

#include <filesystem>
#include <optional>

#include "io/error.h"
#include "io/json_fields.h"

namespace avbench::train {

// The JSON of a finished stage; nothing if it is missing, and nothing after a warning if it is
// damaged.
std::optional<io::Json> read_result(const std::filesystem::path& file);
void warn_of_damage(const io::UserError& damage);

// The same as a record; one that lacks a key is damaged too.
template <class Record>
std::optional<Record> read_result(const std::filesystem::path& file) {
  const auto json = read_result(file);
  if (!json) return std::nullopt;
  try {
    return io::read_fields<Record>(*json, file.string());
  } catch (const io::UserError& error) {
    warn_of_damage(error);
    return std::nullopt;
  }
}

}  // namespace avbench::train
