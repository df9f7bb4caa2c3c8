// Methods on a device: what they compute, and how often a step waits for it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "check/property.h"
#include "device/place.h"
#include "device/select.h"
#include "device/simulated_device.h"
#include "kernels/switch.h"
#include "plugin/registry.h"
#include "tensors/seeds.h"
#include "train/random_batch.h"

namespace avbench {
namespace {

class Trained : public train::Trainable {
 public:
  explicit Trained(std::shared_ptr<Method> method) : method_(std::move(method)) {}
  void set_training() override { method_->train(); }
  Loss loss(const data::LoadedBatch& batch, const StepContext& context) override {
    return method_->loss(batch.batch, context);
  }
  void after_backward(const StepContext& context) override { method_->after_backward(context); }
  void after_step(const StepContext& context) override { method_->after_step(context); }

 private:
  std::shared_ptr<Method> method_;
};

// Of the third step, when queues and momentum are there.
int64_t reads_of_a_step(const plugin::LoadedPlugin& plugin) {
  const c10::Device device = device::select("simulated", "test").device;
  const check::PluginUnderTest tested{
      plugin, Params::resolve(plugin.record->name, plugin.record->params, {})};
  const auto method = check::create_method(tested);
  device::place(*method, device);
  Trained trained(method);
  train::Optimizer optimizer({.lr = 0.01}, method->param_groups(Stage::kPretrain),
                             tensors::module_state(*method));
  const train::TrainingStep step(trained, optimizer, 1);
  const Batch batch = train::random_batch(plugin.record->views(tested.params), 4,
                                          {.video = {3, 2, 20, 20}, .audio = {3, 1, 20, 20}},
                                          tensors::make_generator(0));
  const data::LoadedBatch placed{.batch = device::batch_on(device, batch)};
  Communicator alone;
  int64_t before = 0;
  for (int64_t i = 0; i < 3; ++i) {
    before = simulated_device_reads();
    step.run(placed,
             {.step = i, .total_steps = 10, .random = train::step_generator(0, i), .group = alone},
             1);
  }
  return simulated_device_reads() - before;
}

TEST(Reads, OfAStepAreOneAndThoseThatItsMethodNeeds) {
  // Intra-negatives are drawn by the samples' numbers, which are read back, on the CPU.
  const std::map<std::string, int64_t> own = {{"iic", 2}};
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  ASSERT_GE(registry.plugins().size(), 10u);
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    const std::string name = plugin.record->name;
    const auto found = own.find(name);
    EXPECT_EQ(reads_of_a_step(plugin), 1 + (found == own.end() ? 0 : found->second)) << name;
  }
}

check::CheckResult measured_on_device(const plugin::LoadedPlugin& plugin,
                                      const std::vector<ParamInput>& inputs = {}) {
  const check::CheckContext context{
      .tested = {plugin, Params::resolve(plugin.record->name, plugin.record->params, inputs)},
      .device = device::select("simulated", "test").device};
  const auto properties = check::device_properties();
  EXPECT_EQ(properties.size(), 1u);
  return properties[0].measure(context);
}

TEST(DeviceProperty, HoldsForEveryMethodBitForBit) {
  kernels::set_enabled(false);  // the device computes with LibTorch's
  const plugin::PluginRegistry registry = plugin::PluginRegistry::discover();
  ASSERT_GE(registry.plugins().size(), 10u);
  for (const plugin::LoadedPlugin& plugin : registry.plugins()) {
    const check::CheckResult result = measured_on_device(plugin);
    EXPECT_EQ(result.status, check::Status::kOk) << plugin.record->name << ": " << result.text;
    EXPECT_EQ(result.measured, 0) << plugin.record->name;
  }
  kernels::set_enabled(true);
}

TEST(DeviceProperty, FailsForATensorThatStaysOnTheCpu) {
  const plugin::LoadedPlugin wrong = plugin::load_plugin(WRONG_METHODS "/wrong.so");
  EXPECT_EQ(measured_on_device(wrong).status, check::Status::kOk);
  EXPECT_THROW(measured_on_device(wrong, {{"fault", "tensor_of_the_cpu", "test"}}), c10::Error);
}

}  // namespace
}  // namespace avbench
