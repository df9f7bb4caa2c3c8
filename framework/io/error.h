// The two kinds of error: a user's mistake (exit code 2) and everything else (exit code 1).
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace avbench::io {

// A mistake in what the user gave: a file, a configuration, an argument. The message says what,
// where, what was got, what was expected, and the nearest known name. Caught once, in main().
class __attribute__((visibility("default"))) UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace avbench::io
