#include "encoders/two_towers.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/utils.h>

#include <mutex>

#include "encoders/encoder.h"
#include "encoders/layers.h"
#include "io/error.h"
#include "runtime/trace.h"

namespace avbench::encoders {
namespace {

// Seeds the default CPU generator for its own lifetime.
class SeededScope {
 public:
  explicit SeededScope(uint64_t seed) : before_(generator_.get_state()) {
    generator_.set_current_seed(seed);
  }
  ~SeededScope() { generator_.set_state(before_); }
  SeededScope(const SeededScope&) = delete;
  SeededScope& operator=(const SeededScope&) = delete;

 private:
  at::Generator generator_ = at::detail::getDefaultCPUGenerator();
  Tensor before_;
};

void copy_by_name(const torch::OrderedDict<std::string, Tensor>& from,
                  torch::OrderedDict<std::string, Tensor> to) {
  for (auto& item : to) item.value().copy_(from[item.key()]);
}

class TwoTowers : public Towers {
 public:
  TwoTowers(const config::EncoderConfig& config, uint64_t seed, int64_t audio_channels)
      : config_(config), audio_channels_(audio_channels) {
    if (config.shared && audio_channels != 3) {
      throw io::UserError("encoder.shared: spectrograms of " + std::to_string(audio_channels) +
                          " channel(s), expected 3: one tower takes frames and spectrograms");
    }
    const SeededScope seeded(seed);
    video_ = register_module("video", make_encoder(config.name, config.width));
    audio_ = register_module("audio", make_encoder(config.name, config.width, audio_channels));
    if (config.shared) tie_parameters(*audio_, *video_);
  }

  Features forward(const Batch& batch, const std::string& view) override {
    const auto video = batch.video.find(view);
    const auto audio = batch.audio.find(view);
    const bool has_video = video != batch.video.end(), has_audio = audio != batch.audio.end();
    TORCH_CHECK(has_video || has_audio, "the batch has no view '", view, "': it holds ",
                batch.video.size(), " of video and ", batch.audio.size(), " of audio");
    Features features;
    if (has_video) {
      const runtime::TracePhase phase("video tower");
      features.video = video_->forward(video->second);
    }
    if (has_audio) {
      const runtime::TracePhase phase("audio tower");
      features.audio = audio_->forward(audio->second);
    }
    return features;
  }

  int64_t feature_dim() const override { return video_->feature_dim(); }

  int64_t tap_channels(const std::string& tap) const override { return video_->tap_channels(tap); }

  std::shared_ptr<Towers> momentum_copy() const override {
    const torch::NoGradGuard no_grad;
    auto copy = std::make_shared<TwoTowers>(config_, 0, audio_channels_);
    const auto parameters = named_parameters();
    copy->to(parameters.front().value().device(), parameters.front().value().scalar_type());
    copy_by_name(parameters, copy->named_parameters());
    copy_by_name(named_buffers(), copy->named_buffers());
    for (Tensor& parameter : copy->parameters()) parameter.requires_grad_(false);
    copy->train(is_training());
    return copy;
  }

 private:
  config::EncoderConfig config_;
  int64_t audio_channels_;
  std::shared_ptr<Encoder> video_, audio_;
};

}  // namespace

std::shared_ptr<Towers> make_towers(const config::EncoderConfig& config, uint64_t seed,
                                    int64_t audio_channels) {
  return std::make_shared<TwoTowers>(config, seed, audio_channels);
}

}  // namespace avbench::encoders
