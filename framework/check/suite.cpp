#include "check/suite.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <map>

#include "io/error.h"
#include "io/suggest.h"
#include "train/loss_graph.h"

namespace avbench {
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
  explicit Measurement(const Examination& examination) : examination_(examination) {}

  Finding operator()(const Property& property) {
    try {
      return property.measure(examination_);
    } catch (...) {
      const std::string message = message_of(std::current_exception());
      const auto [first, is_new] = first_with_.try_emplace(message, property.name);
      return is_new ? failed("threw: " + message)
                    : skipped(std::string("threw the same as ") + first->second);
    }
  }

 private:
  const Examination& examination_;
  std::map<std::string, const char*> first_with_;  // by message
};

// What is not registered is not converted to float64 either.
std::string reason_against_double(const Subject& subject, const std::string& message) {
  try {
    Trainee trainee(subject);
    Method& method = trainee.method();
    const auto untrained = untrained_leaves(method, method.param_groups(Stage::kPretrain),
                                            trainee.loss(trainee.next_batch()).total);
    return untrained.empty() ? message : join(untrained) + ", and stays in float32";
  } catch (...) {
    return message;  // the other properties will tell
  }
}

Examination examine(const Subject& subject) {
  Examination examination{subject};
  try {
    Trainee(subject, {.type = at::kDouble}).train_step();
  } catch (...) {
    examination.exact_type = at::kFloat;
    examination.not_double = reason_against_double(subject, message_of(std::current_exception()));
  }
  return examination;
}

std::vector<Result> collect(const std::function<Finding(const Property&)>& measure,
                            const std::function<void(const Result&)>& report) {
  std::vector<Result> results;
  for (const Property& property : all_properties()) {
    results.push_back({property, measure(property)});
    if (report) report(results.back());
  }
  return results;
}

}  // namespace

std::vector<Property> all_properties() {
  std::vector<Property> all;
  for (const auto& list : {record_properties(), loss_properties(), pure_loss_properties(),
                           gradient_properties(), invariance_properties(), state_properties()}) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

void refuse_bad_combination(const Subject& subject) {
  try {
    create_method(subject);
  } catch (const UserError&) {
    throw;
  } catch (...) {
    // Another failure than a refusal: the suite will report it.
  }
}

std::vector<Result> run_suite(const Subject& subject,
                              const std::function<void(const Result&)>& report) {
  const OneThread one_thread;
  const Examination examination = examine(subject);
  return collect(Measurement(examination), report);
}

std::vector<Result> refused_by_loader(const std::string& reason,
                                      const std::function<void(const Result&)>& report) {
  bool first = true;
  return collect(
      [&](const Property&) {
        Finding finding = first ? failed(reason) : skipped("the plugin was not loaded");
        first = false;
        return finding;
      },
      report);
}

Trainee warmed_up(const Examination& examination, TraineeOptions options) {
  Trainee trainee(examination.subject, options);
  trainee.train_steps(kWarmUp);
  return trainee;
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

}  // namespace avbench
