// What must hold of any method with state, by loading it as the host does.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "plugins/method_testing.h"

namespace avbench {

inline std::map<std::string, Tensor> state_of(const Method& method) {
  std::map<std::string, Tensor> state;
  for (const auto& item : method.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : method.named_buffers()) state[item.key()] = item.value();
  return state;
}

inline std::map<std::string, Tensor> copy_of(const std::map<std::string, Tensor>& state) {
  std::map<std::string, Tensor> copy;
  for (const auto& [name, tensor] : state) copy[name] = tensor.detach().clone();
  return copy;
}

inline void expect_same_state(const std::map<std::string, Tensor>& a,
                              const std::map<std::string, Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(tensor.equal(b.at(name))) << name;
}

// The same for the same seed of the towers.
inline std::shared_ptr<Method> bent_method(const std::string& name, const Settings& settings,
                                           uint64_t seed = 3) {
  at::manual_seed(seed);
  return make_method_on(std::make_shared<FakeTowers>(kInputs, 8, /*bent=*/true), name, settings);
}

// What Method::loss hands out as inputs gives its total.
inline void expect_loss_is_of_its_inputs(const std::string& name, const Settings& settings) {
  const auto method = bent_method(name, settings);
  for (int64_t step = 0; step < 3; ++step) {
    const Loss loss = method->loss(batch_of_step(step), step_context(step));
    EXPECT_EQ(loss.inputs.size(), plugin_named(name).embeddings.size());
    EXPECT_EQ(pure_loss(name, loss.inputs, settings).total.item<double>(),
              loss.total.item<double>());
    for (const EmbeddingSpec& spec : plugin_named(name).embeddings) {
      const Tensor& input = loss.inputs.at(spec.name);
      EXPECT_EQ(input.requires_grad(), spec.differentiable) << spec.name;
      if (!spec.unit_rows) continue;
      const Tensor norms = input.detach().norm(2, -1);
      EXPECT_TRUE(at::allclose(norms, at::ones_like(norms))) << spec.name;
    }
    method->after_step(step_context(step));
  }
}

// The pure loss's gradients: central differences on inputs declared differentiable, none on others.
inline void expect_true_gradients(const std::string& name, NamedTensors inputs,
                                  const Settings& settings) {
  for (auto& [input, tensor] : inputs) tensor = tensor.detach().clone().requires_grad_();
  pure_loss(name, inputs, settings).total.backward();
  for (const EmbeddingSpec& spec : plugin_named(name).embeddings) {
    const Tensor& input = inputs.at(spec.name);
    if (!spec.differentiable) {
      EXPECT_FALSE(input.grad().defined()) << spec.name;
      continue;
    }
    const Tensor slope = numerical_gradient(
        [&](const Tensor& x) {
          NamedTensors moved = inputs;
          moved[spec.name] = x;
          return pure_loss(name, moved, settings).total.item<double>();
        },
        input);
    ASSERT_TRUE(input.grad().defined()) << spec.name;
    EXPECT_LT(largest_difference(input.grad(), slope), 1e-6) << spec.name;
  }
}

inline void expect_evaluation_changes_nothing(const std::string& name, const Settings& settings) {
  const auto method = bent_method(name, settings);
  train_step(*method, 0);
  method->eval();
  const auto before = copy_of(state_of(*method));
  const Loss first = method->loss(batch_of_step(1), step_context(1, /*training=*/false));
  const Loss second = method->loss(batch_of_step(1), step_context(1, /*training=*/false));
  EXPECT_EQ(first.total.item<double>(), second.total.item<double>());
  expect_same_state(before, state_of(*method));
}

// Two steps, the state by name into a fresh method, three more: the bits of five steps.
inline void expect_resumes_to_the_same_bits(const std::string& name, const Settings& settings) {
  const auto unbroken = bent_method(name, settings), first = bent_method(name, settings);
  for (int64_t step = 0; step < 5; ++step) train_step(*unbroken, step);
  for (int64_t step = 0; step < 2; ++step) train_step(*first, step);
  const auto resumed = bent_method(name, settings, /*seed=*/4);
  {
    const at::NoGradGuard no_grad;
    const auto saved = state_of(*first);
    for (auto& [tensor_name, tensor] : state_of(*resumed)) {
      Tensor(tensor).copy_(saved.at(tensor_name));
    }
  }
  for (int64_t step = 2; step < 5; ++step) train_step(*resumed, step);
  expect_same_state(state_of(*unbroken), state_of(*resumed));
}

inline void expect_order_does_not_matter(const std::string& name, const Settings& settings) {
  const auto method = bent_method(name, settings);
  train_step(*method, 0);
  const Batch batch = batch_of_step(1);
  const Tensor order = at::tensor({3, 0, 5, 1, 4, 2}, at::kLong);
  const double loss = method->loss(batch, step_context(1)).total.item<double>();
  const Loss permuted = method->loss(select_rows(batch, order), step_context(1));
  EXPECT_NEAR(permuted.total.item<double>(), loss, 1e-5 * std::max(1.0, std::abs(loss)));
}

// A process among two of which the other holds the same samples.
class TwinGroup : public Communicator {
 public:
  int size() const override { return 2; }
  Tensor all_gather(const Tensor& rows) override { return at::cat({rows, rows}); }
};

// Loss and gradient of two processes equal those of one with the joined batch.
inline void expect_two_processes_equal_one(const std::string& name, const Settings& settings) {
  const auto two = bent_method(name, settings), one = bent_method(name, settings);
  train_step(*two, 0);
  train_step(*one, 0);
  TwinGroup twins;
  const Batch batch = batch_of_step(1);
  const Batch joined = select_rows(batch, at::arange(6).repeat({2}));
  for (const auto& method : {two, one}) {
    for (Tensor& parameter : method->parameters()) parameter.mutable_grad().reset();
  }
  const Tensor split = two->loss(batch, step_context(1, true, twins)).total;
  const Tensor whole = one->loss(joined, step_context(1)).total;
  EXPECT_NEAR(split.item<double>(), whole.item<double>(), 1e-5);
  split.backward();
  whole.backward();
  const auto expected = one->named_parameters();
  for (const auto& parameter : two->named_parameters()) {
    const Tensor& other = expected[parameter.key()].grad();
    ASSERT_EQ(parameter.value().grad().defined(), other.defined()) << parameter.key();
    if (!other.defined()) continue;
    EXPECT_TRUE(at::allclose(parameter.value().grad(), other, 1e-3, 1e-5)) << parameter.key();
  }
}

// Teachers: parameters that are registered, follow others, and are in no group.
inline std::set<std::string> untrained_parameters(Method& method) {
  std::set<const void*> trained;
  for (const ParamGroup& group : method.param_groups(Stage::kPretrain)) {
    for (const Tensor& parameter : group.parameters) {
      EXPECT_TRUE(parameter.requires_grad());
      trained.insert(parameter.unsafeGetTensorImpl());
    }
  }
  std::set<std::string> names;
  for (const auto& item : method.named_parameters()) {
    if (trained.contains(item.value().unsafeGetTensorImpl())) continue;
    EXPECT_FALSE(item.value().requires_grad()) << item.key();
    names.insert(item.key());
  }
  return names;
}

// All of the above that need nothing but a name.
inline void expect_a_proper_method(const std::string& name, const Settings& settings) {
  expect_loss_is_of_its_inputs(name, settings);
  expect_gradients_everywhere(name, settings);
  expect_evaluation_changes_nothing(name, settings);
  expect_resumes_to_the_same_bits(name, settings);
  expect_order_does_not_matter(name, settings);
  expect_two_processes_equal_one(name, settings);
}

}  // namespace avbench
