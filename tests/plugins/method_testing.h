// Methods through the registry, on small towers.
#pragma once

#include <ATen/CPUGeneratorImpl.h>

#include <string>
#include <vector>

#include "plugin/registry.h"
#include "sdk/fake_towers.h"
#include "sdk/loss_testing.h"

namespace avbench {

inline constexpr int64_t kInputs = 5;

inline const plugin::LoadedPlugin& loaded_plugin(const std::string& name) {
  static const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  return registry.find(name);
}

inline const MethodPlugin& plugin_named(const std::string& name) {
  return *loaded_plugin(name).record;
}

using Settings = std::map<std::string, std::string>;

inline Params params_of(const MethodPlugin& plugin, const Settings& settings) {
  std::vector<ParamInput> inputs;
  for (const auto& [name, text] : settings) inputs.push_back({name, text, "test"});
  return Params::resolve(plugin.name, plugin.params, inputs);
}

inline Loss pure_loss(const std::string& method, const NamedTensors& embeddings,
                      const Settings& settings = {}) {
  const MethodPlugin& plugin = plugin_named(method);
  return plugin.loss(embeddings, params_of(plugin, settings));
}

inline Loss pure_loss(const std::string& method, const Tensor& video, const Tensor& audio,
                      const Settings& settings = {}) {
  return pure_loss(method, {{"video", video}, {"audio", audio}}, settings);
}

inline double total(const std::string& method, const Tensor& video, const Tensor& audio,
                    const Settings& settings = {}) {
  return pure_loss(method, video, audio, settings).total.item<double>();
}

inline double part(const Loss& loss, const std::string& name) {
  for (const auto& [known, value] : loss.parts) {
    if (known == name) return value.item<double>();
  }
  return NAN;
}

// L1 norms of the gradients at the golden inputs.
inline std::pair<double, double> gradient_norms(const std::string& method,
                                                const Settings& settings) {
  const Tensor a = golden_z1().requires_grad_(), b = golden_z2().requires_grad_();
  pure_loss(method, a, b, settings).total.backward();
  return {a.grad().abs().sum().item<double>(), b.grad().abs().sum().item<double>()};
}

inline std::shared_ptr<Method> make_method_on(std::shared_ptr<Towers> towers,
                                              const std::string& name,
                                              const Settings& settings = {}) {
  at::manual_seed(7);
  const MethodPlugin& plugin = plugin_named(name);
  return plugin.create(
      {.towers = std::move(towers), .params = params_of(plugin, settings), .train_size = 16});
}

inline std::shared_ptr<Method> make_method(const std::string& name, int64_t dim,
                                           const Settings& settings = {}) {
  at::manual_seed(7);
  return make_method_on(std::make_shared<FakeTowers>(kInputs, dim), name, settings);
}

inline Communicator& alone() {
  static Communicator group;
  return group;
}

inline StepContext step_context(int64_t step = 0, bool training = true,
                                Communicator& group = alone()) {
  return {.step = step,
          .total_steps = 10,
          .training = training,
          .random = at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(100 + step)),
          .group = group};
}

inline Loss loss_of(Method& method, const Batch& batch) {
  return method.loss(batch, step_context());
}

inline size_t tensors_in(const std::vector<ParamGroup>& groups) {
  size_t count = 0;
  for (const ParamGroup& group : groups) count += group.parameters.size();
  return count;
}

// The pure loss on what the method embeds is the method's loss.
inline void expect_loss_is_the_pure_loss(const std::string& name, const Settings& settings) {
  const auto method = make_method(name, 4, settings);
  const Batch batch = fake_batch(6, kInputs);
  const auto [video, audio] = method->embed(method->towers().forward(batch));
  EXPECT_EQ(loss_of(*method, batch).total.item<double>(), total(name, video, audio, settings));
}

// The samples of one step, the same for the same step.
inline Batch batch_of_step(int64_t step, int64_t size = 6) {
  at::manual_seed(static_cast<uint64_t>(1000 + step));
  Batch batch = fake_batch(size, kInputs);
  batch.index = (batch.index * 2 + step) % 16;
  return batch;
}

// One step of plain gradient descent, as the host takes it.
inline void train_step(Method& method, int64_t step) {
  method.train();
  const StepContext context = step_context(step);
  for (Tensor& parameter : method.parameters()) parameter.mutable_grad().reset();
  method.loss(batch_of_step(step), context).total.backward();
  method.after_backward(context);
  {
    const at::NoGradGuard no_grad;
    for (const ParamGroup& group : method.param_groups(Stage::kPretrain)) {
      for (const Tensor& parameter : group.parameters) {
        if (parameter.grad().defined()) parameter.sub_(parameter.grad(), 0.05);
      }
    }
  }
  method.after_step(context);
}

// Every parameter that a stage trains is reached by the loss, from the second step on.
inline void expect_gradients_everywhere(const std::string& name, const Settings& settings) {
  const auto method =
      make_method_on(std::make_shared<FakeTowers>(kInputs, 16, /*bent=*/true), name, settings);
  train_step(*method, 0);
  for (Tensor& parameter : method->parameters()) parameter.mutable_grad().reset();
  method->loss(batch_of_step(1), step_context(1)).total.backward();
  for (const ParamGroup& group : method->param_groups(Stage::kPretrain)) {
    for (const Tensor& parameter : group.parameters) {
      ASSERT_TRUE(parameter.grad().defined());
      EXPECT_GT(parameter.grad().abs().sum().item<double>(), 0);
    }
  }
}

}  // namespace avbench
