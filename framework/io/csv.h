// Writing CSV as RFC 4180 has it.
#pragma once

#include <string>
#include <vector>

namespace avbench::io {

// Quoted where needed, quotes doubled.
std::string csv_field(const std::string& text);

// Fields with commas between and a line feed behind.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace avbench::io
