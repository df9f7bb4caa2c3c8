#include "app/step_subject.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "device/place.h"
#include "encoders/two_towers.h"
#include "plugin/failure.h"

namespace avbench::app {
namespace {

std::shared_ptr<Towers> towers_of(const config::ProtocolConfig& protocol) {
  return encoders::make_towers(protocol.encoder, 0, protocol.spectrogram.channels);
}

class BareTowers : public StepSubject {
 public:
  BareTowers(const config::ProtocolConfig& protocol, c10::Device device)
      : towers_(towers_of(protocol)) {
    device::place(*towers_, device);
  }
  void set_training() override { towers_->train(); }
  Loss loss(const data::LoadedBatch& batch, const StepContext&) override {
    const Features features = towers_->forward(batch.batch);
    return {.total = features.video.pooled.mean() + features.audio.pooled.mean()};
  }
  std::vector<ParamGroup> groups() override { return {{.parameters = towers_->parameters()}}; }
  tensors::StateDict state() override { return tensors::module_state(*towers_); }

 private:
  std::shared_ptr<Towers> towers_;
};

class MethodSubject : public StepSubject {
 public:
  MethodSubject(const config::ProtocolConfig& protocol, const plugin::LoadedPlugin& plugin,
                const Params& params, c10::Device device)
      : origin_{&plugin, ""},
        method_(plugin::construct_method(
            plugin,
            {.towers = towers_of(protocol),
             .params = params,
             .train_size = std::max<int64_t>(16 * protocol.pretrain.batch_size, 4096)},
            "")) {
    device::place(*method_, device);
  }
  void set_training() override { method_->train(); }
  Loss loss(const data::LoadedBatch& batch, const StepContext& context) override {
    return origin_.call("loss", [&] {
      Loss loss = method_->loss(batch.batch, context);
      plugin::require_scalar(loss);
      return loss;
    });
  }
  void after_backward(const StepContext& context) override {
    origin_.call("after_backward", [&] { method_->after_backward(context); });
  }
  void after_step(const StepContext& context) override {
    origin_.call("after_step", [&] { method_->after_step(context); });
  }
  std::vector<ParamGroup> groups() override {
    return origin_.call("param_groups", [&] { return method_->param_groups(Stage::kPretrain); });
  }
  tensors::StateDict state() override { return tensors::module_state(*method_); }

 private:
  plugin::MethodOrigin origin_;
  std::shared_ptr<Method> method_;
};

}  // namespace

std::unique_ptr<StepSubject> bare_towers(const config::ProtocolConfig& protocol,
                                         c10::Device device) {
  return std::make_unique<BareTowers>(protocol, device);
}

std::unique_ptr<StepSubject> method_subject(const config::ProtocolConfig& protocol,
                                            const plugin::LoadedPlugin& plugin,
                                            const Params& params, c10::Device device) {
  return std::make_unique<MethodSubject>(protocol, plugin, params, device);
}

}  // namespace avbench::app
