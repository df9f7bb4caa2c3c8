// Lists of words as one text, and back.
#pragma once

#include <string>
#include <vector>

namespace avbench::io {

// "a, b, c"
std::string join(const std::vector<std::string>& words, const std::string& separator = ", ");

// The inverse for one separating character: "a|b" -> {"a", "b"}, "" -> {""}.
std::vector<std::string> split(const std::string& text, char separator);

}  // namespace avbench::io
