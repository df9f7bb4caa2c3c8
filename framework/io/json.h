// JSON for hashes, logs and results.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace avbench::io {

using Json = nlohmann::json;

// One text for one value: keys sorted by byte, no white space, numbers as short as they can be to
// read back equal (Grisu2). Throws std::invalid_argument on NaN and infinity, which JSON cannot
// hold.
std::string canonical_json(const Json& value);

// What JSON can hold as text.
bool is_utf8(const std::string& text);

// Written whole or not at all. An object gets the key "checksum", the SHA-256 of the rest.
void write_json(const std::filesystem::path& path, const Json& value);

// The JSON of a file, without its checksum. Throws UserError naming the file if it is missing, is
// no JSON, or differs from its checksum; a file without one is taken as it is.
Json read_json(const std::filesystem::path& path);

}  // namespace avbench::io
