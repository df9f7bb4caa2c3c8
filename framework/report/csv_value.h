// A value of a table as a field of CSV.
#pragma once

#include <string>

#include "io/json.h"

namespace avbench::report {

// Nothing for null, a string as it is, a list as JSON; numbers read back equal.
std::string csv_value(const io::Json& value);

}  // namespace avbench::report
