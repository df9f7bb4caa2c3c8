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

inline const MethodPlugin& plugin_named(const std::string& name) {
  static const PluginRegistry registry = PluginRegistry::discover();
  return *registry.find(name).record;
}

using Settings = std::map<std::string, std::string>;

inline Params params_of(const MethodPlugin& plugin, const Settings& settings) {
  std::vector<ParamInput> inputs;
  for (const auto& [name, text] : settings) inputs.push_back({name, text, "test"});
  return Params::resolve(plugin.name, plugin.params, inputs);
}

inline Loss pure_loss(const std::string& method, const Tensor& video, const Tensor& audio,
                      const Settings& settings = {}) {
  const MethodPlugin& plugin = plugin_named(method);
  return plugin.loss({{"video", video}, {"audio", audio}}, params_of(plugin, settings));
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

inline Loss loss_of(Method& method, const Batch& batch) {
  Communicator alone;
  return method.loss(batch,
                     {.random = at::make_generator<at::CPUGeneratorImpl>(0), .group = alone});
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

// Every parameter that a stage trains is reached by the loss.
inline void expect_gradients_everywhere(const std::string& name, const Settings& settings) {
  const auto method = make_method(name, 16, settings);
  loss_of(*method, fake_batch(6, kInputs)).total.backward();
  for (const ParamGroup& group : method->param_groups(Stage::kPretrain)) {
    for (const Tensor& parameter : group.parameters) {
      ASSERT_TRUE(parameter.grad().defined());
      EXPECT_GT(parameter.grad().abs().sum().item<double>(), 0);
    }
  }
}

}  // namespace avbench
