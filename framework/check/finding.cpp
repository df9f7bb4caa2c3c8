#include "check/finding.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "io/suggest.h"

namespace avbench {

const char* status_text(Status status) {
  constexpr const char* kTexts[] = {"ok", "FAILED", "skipped"};
  return kTexts[static_cast<int>(status)];
}

Finding passed(const std::string& text) { return {Status::kOk, text, {}, {}}; }
Finding failed(const std::string& text) { return {Status::kFailed, text, {}, {}}; }
Finding skipped(const std::string& reason) { return {Status::kSkipped, reason, {}, {}}; }

Finding within(const std::string& what, double figure, double limit) {
  return {figure <= limit ? Status::kOk : Status::kFailed,
          fmt::format("{} {:.2g} (limit {:g})", what, figure, limit), figure, limit};
}

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const c10::Error& torch) {
    return join(split(torch.what_without_backtrace(), '\n'), " ");
  } catch (const std::exception& known) {
    return join(split(known.what(), '\n'), " ");
  } catch (...) {
    return "something was thrown that is no std::exception";
  }
}

}  // namespace avbench
