// One thing that holds for every method, and how it is measured.
#pragma once

#include <string>
#include <vector>

#include "check/check_result.h"
#include "check/method_harness.h"

namespace avbench::check {

// What the properties are measured on.
struct CheckContext {
  PluginUnderTest tested;
  // The type in which two results must be equal up to rounding: float64, or float32 if the method
  // cannot run in float64.
  at::ScalarType exact_type = at::kDouble;
  std::string not_double = "";     // why it cannot
  c10::Device device = c10::kCPU;  // that the method shall compute on, beside the CPU

  // A limit for what is measured in exact_type.
  double limit(double float64, double float32) const {
    return exact_type == at::kDouble ? float64 : float32;
  }
};

struct Property {
  const char* name;
  const char* summary;  // one line
  CheckResult (*measure)(const CheckContext&);
};

// In the order in which they are reported.
std::vector<Property> record_properties();
std::vector<Property> loss_properties();
std::vector<Property> pure_loss_properties();
std::vector<Property> gradient_properties();
std::vector<Property> invariance_properties();
std::vector<Property> state_properties();
std::vector<Property> device_properties();  // where a device is asked for

// Steps of training before something is measured: queues hold real keys, teachers have moved.
inline constexpr int64_t kWarmUp = 3;

// A method after kWarmUp steps.
MethodHarness warmed_up(const CheckContext& context, HarnessOptions options = {});

// The larger of two numbers; NaN is the largest of all.
double larger(double a, double b);

// max |got - expected| / max |expected|; 0 if both are 0, NaN if either holds one.
double relative_difference(const Tensor& got, const Tensor& expected);

bool all_finite(const Tensor& tensor);

// "float32", "float64"
const char* type_name(at::ScalarType type);

}  // namespace avbench::check
