// What the suite found out about one property.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace avbench {

enum class Status { kOk, kFailed, kSkipped };

// "ok", "FAILED", "skipped"
const char* status_text(Status status);

struct Finding {
  Status status;
  std::string text;              // what was measured; of a failure, what was got and expected
  std::optional<double> figure;  // the measured number, if there is one
  std::optional<double> limit;   // up to which it is ok
};

Finding passed(const std::string& text);
Finding failed(const std::string& text);
Finding skipped(const std::string& reason);

// Ok if `figure` is at most `limit`; NaN is not. "largest relative error 3.1e-09 (limit 1e-06)"
Finding within(const std::string& what, double figure, double limit);

// The words of a caught exception on one line, without LibTorch's backtrace.
std::string message_of(const std::exception_ptr& error);

}  // namespace avbench
