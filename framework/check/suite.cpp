#include "check/suite.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <map>

#include "io/error.h"
#include "io/strings.h"
#include "train/loss_graph.h"

namespace avbench::check {
namespace {

// The clips are so small that more threads would only wait for each other.
class OneThread {
 public:
  OneThread() { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = at::get_num_threads();
};

// One cause is reported once: what throws as an earlier property did is skipped.
class Measurement {
 public:
  explicit Measurement(const CheckContext& context) : context_(context) {}

  CheckResult operator()(const Property& property) {
    try {
      return property.measure(context_);
    } catch (...) {
      const std::string message = message_of(std::current_exception());
      const auto [first, is_new] = first_with_.try_emplace(message, property.name);
      return is_new ? failed("threw: " + message)
                    : skipped(std::string("threw the same as ") + first->second);
    }
  }

 private:
  const CheckContext& context_;
  std::map<std::string, const char*> first_with_;  // by message
};

// What is not registered is not converted to float64 either.
std::string reason_against_double(const PluginUnderTest& plugin, const std::string& message) {
  try {
    MethodHarness harness(plugin);
    Method& method = harness.method();
    const auto untrained = train::untrained_leaves(method, method.param_groups(Stage::kPretrain),
                                                   harness.loss(harness.next_batch()).total);
    return untrained.empty() ? message : io::join(untrained) + ", and stays in float32";
  } catch (...) {
    return message;  // the other properties will tell
  }
}

CheckContext examine(const PluginUnderTest& plugin, c10::Device device) {
  CheckContext context{.tested = plugin, .device = device};
  try {
    MethodHarness(plugin, {.type = at::kDouble}).train_step();
  } catch (...) {
    context.exact_type = at::kFloat;
    context.not_double = reason_against_double(plugin, message_of(std::current_exception()));
  }
  return context;
}

std::vector<Result> collect(const std::vector<Property>& properties,
                            const std::function<CheckResult(const Property&)>& measure,
                            const std::function<void(const Result&)>& report) {
  std::vector<Result> results;
  for (const Property& property : properties) {
    results.push_back({property, measure(property)});
    if (report) report(results.back());
  }
  return results;
}

}  // namespace

std::vector<Property> all_properties(c10::Device device) {
  std::vector<Property> all;
  for (const auto& list : {record_properties(), loss_properties(), pure_loss_properties(),
                           gradient_properties(), invariance_properties(), state_properties()}) {
    all.insert(all.end(), list.begin(), list.end());
  }
  if (!device.is_cpu()) {
    for (const Property& property : device_properties()) all.push_back(property);
  }
  return all;
}

void refuse_bad_combination(const PluginUnderTest& plugin) {
  try {
    create_method(plugin);
  } catch (const io::UserError&) {
    throw;
  } catch (...) {
    // Another failure than a refusal: the suite will report it.
  }
}

std::vector<Result> run_suite(const PluginUnderTest& plugin,
                              const std::function<void(const Result&)>& report,
                              c10::Device device) {
  const OneThread one_thread;
  const CheckContext context = examine(plugin, device);
  return collect(all_properties(device), Measurement(context), report);
}

std::vector<Result> refused_by_loader(const std::string& reason,
                                      const std::function<void(const Result&)>& report) {
  bool first = true;
  return collect(
      all_properties(),
      [&](const Property&) {
        CheckResult result = first ? failed(reason) : skipped("the plugin was not loaded");
        first = false;
        return result;
      },
      report);
}

MethodHarness warmed_up(const CheckContext& context, HarnessOptions options) {
  MethodHarness harness(context.tested, options);
  harness.train_steps(kWarmUp);
  return harness;
}

double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }

double relative_difference(const Tensor& got, const Tensor& expected) {
  const Tensor wide = expected.to(at::kDouble);
  if (wide.numel() == 0) return 0;
  const double difference = (got.to(at::kDouble) - wide).abs().max().item<double>();
  const double size = wide.abs().max().item<double>();
  return difference == 0 ? 0 : difference / size;
}

bool all_finite(const Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

const char* type_name(at::ScalarType type) { return type == at::kDouble ? "float64" : "float32"; }

}  // namespace avbench::check
