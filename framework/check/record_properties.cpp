// What can be said of a plugin without making its method.
#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <fmt/format.h>

#include "check/property.h"
#include "io/error.h"
#include "plugin/record.h"

namespace avbench::check {
namespace {

CheckResult loads(const CheckContext& context) {
  return passed(fmt::format("{}, {}", plugin::host_abi_tag(), context.tested.plugin.compiler));
}

// Counts the allocations of tensors on this thread.
class AllocationCounter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override {
    if (size > 0) ++count;
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t count = 0;
};

CheckResult describing_constructs_nothing(const CheckContext& context) {
  const MethodPlugin& record = context.tested.record();
  const std::vector<std::string> faults = plugin::record_faults(&record);
  if (!faults.empty()) return failed(faults.front());
  const auto counter = std::make_shared<AllocationCounter>();
  size_t views = 0;
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    views = record.views(context.tested.params).size();
  }
  if (views == 0) return failed("views() asks for nothing, expected at least one view");
  if (counter->count > 0) {
    return failed(fmt::format("views() allocated {} tensors, expected plain data", counter->count));
  }
  return passed(fmt::format("{} parameters, {} embeddings, {} views, no tensor allocated",
                            record.params.size(), record.embeddings.size(), views));
}

CheckResult refuses_unknown_parameters(const CheckContext& context) {
  const MethodPlugin& record = context.tested.record();
  std::string name = "unknown";
  for (const ParamSpec& spec : record.params) name += std::string("_") + spec.name;
  try {
    Params::resolve(record.name, record.params, {{name, "1", "check"}});
  } catch (const io::UserError& error) {
    const std::string message = error.what();
    for (const ParamSpec& spec : record.params) {
      const auto listed = message.rfind(spec.name);
      if (listed == std::string::npos || listed < message.find("known: ")) {
        return failed(fmt::format("the refusal does not list '{}': {}", spec.name, message));
      }
    }
    return passed(fmt::format("refused, {} known ones listed", record.params.size()));
  }
  return failed("an undeclared name was accepted");
}

}  // namespace

std::vector<Property> record_properties() {
  return {
      {"loads", "the ABI tag is this program's, the library loads, its record is well formed",
       loads},
      {"describing_constructs_nothing", "reading the record and views() allocates no tensor",
       describing_constructs_nothing},
      {"refuses_unknown_parameters", "an undeclared parameter is refused, the known ones listed",
       refuses_unknown_parameters},
  };
}

}  // namespace avbench::check
