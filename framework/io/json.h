// JSON for hashes, logs and results.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace avbench {

using Json = nlohmann::json;

// One text for one value: keys sorted by byte, no white space, numbers as short as they can be to
// read back equal (Grisu2). Throws std::invalid_argument on NaN and infinity, which JSON cannot
// hold.
std::string canonical_json(const Json& value);

}  // namespace avbench
