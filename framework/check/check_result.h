// What the suite found out about one property.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace avbench::check {

enum class Status { kOk, kFailed, kSkipped };

// "ok", "FAILED", "skipped"
const char* status_text(Status status);

struct CheckResult {
  Status status;
  std::string text;                // what was measured; of a failure, what was got and expected
  std::optional<double> measured;  // nothing if the property has no number
  std::optional<double> limit;     // up to which it is ok
};

CheckResult passed(const std::string& text);
CheckResult failed(const std::string& text);
CheckResult skipped(const std::string& reason);

// Ok if `measured` is at most `limit`; NaN is not. "largest relative error 3.1e-09 (limit 1e-06)"
CheckResult within(const std::string& what, double measured, double limit);

// The words of a caught exception on one line, without LibTorch's backtrace.
std::string message_of(const std::exception_ptr& error);

}  // namespace avbench::check
