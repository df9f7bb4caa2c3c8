// Reading CSV as RFC 4180 has it, with line numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace avbench::data {

struct CsvRecord {
  int64_t line = 0;  // where it begins, from 1
  std::vector<std::string> fields;
};

// Records of `text`; lines end with LF or CRLF, empty lines are passed over.
// Throws UserError with `origin`:line on a quote that is out of place or not closed.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& origin);

}  // namespace avbench::data
