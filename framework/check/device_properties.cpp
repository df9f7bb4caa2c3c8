// What a method computes on another device than the CPU.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "check/property.h"

namespace avbench::check {
namespace {

constexpr int64_t kSteps = 3;
constexpr double kLimit = 1e-3;  // sums in another order, over three steps in float32

std::string left_behind(const MethodHarness& harness, c10::Device device) {
  for (const auto& [name, tensor] : harness.state()) {
    if (tensor.device() != device) {
      return fmt::format("{} is on {}, expected {}", name, tensor.device().str(), device.str());
    }
  }
  return "";
}

CheckResult computes_as_on_the_cpu(const CheckContext& context) {
  MethodHarness cpu(context.tested), other(context.tested, {.device = context.device});
  double worst = 0;
  for (int64_t i = 0; i < kSteps; ++i) {
    const Tensor expected = cpu.train_step().total.detach();
    worst = larger(worst, relative_difference(other.train_step().total.detach().cpu(), expected));
  }
  const std::string left = left_behind(other, context.device);
  if (!left.empty()) return failed(left);
  for (const auto& [name, tensor] : cpu.state()) {
    if (!tensor.is_floating_point()) continue;
    worst = larger(worst, relative_difference(other.state().at(name).cpu(), tensor));
  }
  return within(fmt::format("largest relative difference of losses and state after {} steps on {}",
                            kSteps, context.device.str()),
                worst, kLimit);
}

}  // namespace

std::vector<Property> device_properties() {
  return {{"device", "losses and state on the device are those of the CPU, up to rounding",
           computes_as_on_the_cpu}};
}

}  // namespace avbench::check
