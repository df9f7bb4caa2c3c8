#include "check/check_result.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "io/strings.h"

namespace avbench::check {

const char* status_text(Status status) {
  constexpr const char* kTexts[] = {"ok", "FAILED", "skipped"};
  return kTexts[static_cast<int>(status)];
}

CheckResult passed(const std::string& text) { return {Status::kOk, text, {}, {}}; }
CheckResult failed(const std::string& text) { return {Status::kFailed, text, {}, {}}; }
CheckResult skipped(const std::string& reason) { return {Status::kSkipped, reason, {}, {}}; }

CheckResult within(const std::string& what, double measured, double limit) {
  return {measured <= limit ? Status::kOk : Status::kFailed,
          fmt::format("{} {:.2g} (limit {:g})", what, measured, limit), measured, limit};
}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const c10::Error& torch) {
    return io::join(io::split(torch.what_without_backtrace(), '\n'), " ");
  } catch (const std::exception& known) {
    return io::join(io::split(known.what(), '\n'), " ");
  } catch (...) {
    return "something was thrown that is no std::exception";
  }
}

}  // namespace avbench::check
