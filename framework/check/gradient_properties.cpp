// Which tensors are trained.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <map>
#include <set>

#include "check/property.h"
#include "io/strings.h"
#include "train/loss_graph.h"

namespace avbench::check {
namespace {

using Names = std::map<const void*, std::string>;

Names registered(const Method& method) {
  Names names;
  for (const auto& item : method.named_parameters()) {
    names[item.value().unsafeGetTensorImpl()] = item.key();
  }
  return names;
}

// Empty, or what is wrong with the groups of a stage.
std::string group_fault(Method& method, Stage stage, size_t& count) {
  const Names names = registered(method);
  std::set<const void*> seen;
  for (const ParamGroup& group : method.param_groups(stage)) {
    for (const Tensor& parameter : group.parameters) {
      const auto name = names.find(parameter.unsafeGetTensorImpl());
      if (name == names.end()) {
        return fmt::format("a tensor of shape [{}] is not registered as a parameter",
                           fmt::join(parameter.sizes(), ", "));
      }
      if (!seen.insert(name->first).second) return name->second + " stands in two groups";
      if (stage == Stage::kPretrain && !parameter.requires_grad()) {
        return name->second + " requires no gradient";
      }
    }
  }
  count = seen.size();
  return seen.empty() ? "they are empty" : "";
}

CheckResult groups_hold_parameters_once(const CheckContext& context) {
  const auto method = create_method(context.tested);
  size_t pretrain = 0, finetune = 0;
  std::string fault = group_fault(*method, Stage::kPretrain, pretrain);
  if (!fault.empty()) return failed("groups of pretraining: " + fault);
  fault = group_fault(*method, Stage::kFinetune, finetune);
  if (!fault.empty()) return failed("groups of finetuning: " + fault);
  return passed(fmt::format("{} tensors in pretraining, {} in finetuning", pretrain, finetune));
}

CheckResult trained_parameters_get_gradients(const CheckContext& context) {
  MethodHarness harness = warmed_up(context);
  harness.backward(harness.loss(harness.next_batch()));
  const Names names = registered(harness.method());
  for (const Tensor& parameter : harness.trained()) {
    if (!parameter.grad().defined()) {
      return failed(names.at(parameter.unsafeGetTensorImpl()) +
                    " is in a group and the loss does not reach it");
    }
  }
  return passed(fmt::format("{} tensors", harness.trained().size()));
}

CheckResult gradient_stops_where_declared(const CheckContext& context) {
  MethodHarness harness = warmed_up(context);
  Method& method = harness.method();
  const Loss loss = harness.loss(harness.next_batch());
  const auto untrained =
      train::untrained_leaves(method, method.param_groups(Stage::kPretrain), loss.total);
  if (!untrained.empty()) {
    return failed("a gradient reaches what nothing trains: " + io::join(untrained));
  }
  int64_t stopped = 0;
  for (const EmbeddingSpec& spec : context.tested.record().embeddings) {
    const auto input = loss.inputs.find(spec.name);
    if (spec.differentiable || input == loss.inputs.end()) continue;
    ++stopped;
    if (input->second.requires_grad()) {
      return failed(fmt::format(
          "the input '{}' is declared not differentiable and requires a gradient", spec.name));
    }
  }
  return passed(fmt::format("{} tensors get gradients, {} inputs none",
                            train::gradient_leaves(loss.total).size(), stopped));
}

}  // namespace

std::vector<Property> gradient_properties() {
  return {
      {"groups_hold_parameters_once", "what is in param_groups is registered, and in one group",
       groups_hold_parameters_once},
      {"trained_parameters_get_gradients", "the loss reaches every parameter in a group",
       trained_parameters_get_gradients},
      {"gradient_stops_where_declared",
       "gradients reach parameters in groups alone: no teacher, no tensor that is not registered, "
       "no input declared so",
       gradient_stops_where_declared},
  };
}

}  // namespace avbench::check
