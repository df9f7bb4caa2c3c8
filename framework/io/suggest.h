// Names that a user may have meant.
#pragma once

#include <string>
#include <vector>

namespace avbench::io {

// The known name with the fewest edits (insert, delete, replace, swap neighbours; case is ignored)
// from `got`, if there are at most a third as many edits as letters (at least one); else the first
// that `got`, with three letters or more, begins; else "".
std::string nearest(const std::string& got, const std::vector<std::string>& known);

// " (did you mean 'x'?)", or "" if nothing is near.
std::string did_you_mean(const std::string& got, const std::vector<std::string>& known);

}  // namespace avbench::io
