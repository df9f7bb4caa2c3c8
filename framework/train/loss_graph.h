// What a loss trains: the leaves of its autograd graph against a method's parameter groups.
#pragma once

#include <string>
#include <vector>

#include "avbench/method.h"
#include "avbench/plugin.h"

namespace avbench::train {

// The tensors that backward() of `total` gives gradients to, each once.
std::vector<Tensor> gradient_leaves(const Tensor& total);

// Those that are in none of the groups: "'head.weight' [8, 4] is in no parameter group" if they are
// registered, else "a tensor of shape [8, 4] is not registered". Nothing would ever train them.
std::vector<std::string> untrained_leaves(const Method& method,
                                          const std::vector<ParamGroup>& groups,
                                          const Tensor& total);

// Throws std::runtime_error unless a method's loss is one number, reaches nothing but its groups,
// and shows inputs, if any, by the names that the plugin declares. For the first loss, before hours
// of training. (Their sizes may not be final: a queue is empty at first.)
void require_valid_loss(const Method& method, const std::vector<ParamGroup>& groups,
                        const MethodPlugin& record, const Loss& loss);

}  // namespace avbench::train
