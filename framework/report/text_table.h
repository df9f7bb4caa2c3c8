// A table in Markdown that reads well as plain text too.
#pragma once

#include <string>
#include <vector>

namespace avbench::report {

// The first line of `cells` is the heading; every line has as many cells. Columns are padded: the
// first and the last, which have words, to the left, those between, which have numbers, to the
// right.
std::string text_table(const std::vector<std::vector<std::string>>& cells);

}  // namespace avbench::report
