#include "train/loss_graph.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <set>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "io/error.h"
#include "io/strings.h"
#include "plugin/embeddings.h"
#include "plugin/failure.h"

namespace avbench::train {

std::vector<Tensor> gradient_leaves(const Tensor& total) {
  using torch::autograd::AccumulateGrad;
  using torch::autograd::Node;
  if (!total.requires_grad()) return {};
  if (!total.grad_fn()) return {total};
  std::vector<Tensor> leaves;
  std::vector<Node*> open = {total.grad_fn().get()};
  std::unordered_set<Node*> seen(open.begin(), open.end());
  while (!open.empty()) {
    Node* const node = open.back();
    open.pop_back();
    if (const auto* leaf = dynamic_cast<AccumulateGrad*>(node)) leaves.push_back(leaf->variable);
    for (const auto& edge : node->next_edges()) {
      Node* const next = edge.function.get();
      if (next != nullptr && seen.insert(next).second) open.push_back(next);
    }
  }
  return leaves;
}

std::vector<std::string> untrained_leaves(const Method& method,
                                          const std::vector<ParamGroup>& groups,
                                          const Tensor& total) {
  std::unordered_set<const void*> trained;
  for (const ParamGroup& group : groups) {
    for (const Tensor& parameter : group.parameters) {
      trained.insert(parameter.unsafeGetTensorImpl());
    }
  }
  std::unordered_map<const void*, std::string> names;
  for (const auto& item : method.named_parameters()) {
    names[item.value().unsafeGetTensorImpl()] = item.key();
  }
  std::set<std::string> untrained;  // in an order that does not depend on addresses
  for (const Tensor& leaf : gradient_leaves(total)) {
    if (trained.contains(leaf.unsafeGetTensorImpl())) continue;
    const auto name = names.find(leaf.unsafeGetTensorImpl());
    untrained.insert(
        name == names.end()
            ? fmt::format("a tensor of shape [{}] is not registered", fmt::join(leaf.sizes(), ", "))
            : fmt::format("'{}' [{}] is in no parameter group", name->second,
                          fmt::join(leaf.sizes(), ", ")));
  }
  return {untrained.begin(), untrained.end()};
}

void require_valid_loss(const Method& method, const std::vector<ParamGroup>& groups,
                        const MethodPlugin& record, const Loss& loss) {
  plugin::require_scalar(loss);
  if (!loss.inputs.empty()) {
    try {
      plugin::check_embedding_names(record, loss.inputs, "Loss::inputs");
    } catch (const io::UserError& fault) {
      throw std::runtime_error(fault.what());  // the plugin's mistake, not the user's
    }
  }
  const auto untrained = untrained_leaves(method, groups, loss.total);
  if (untrained.empty()) return;
  throw std::runtime_error("the loss reaches what nothing would train: " + io::join(untrained) +
                           ". Register modules with register_module() and parameters with "
                           "register_parameter(), and let param_groups() hold them");
}

}  // namespace avbench::train
