// InfoNCE between two towers, in the form of CMC and CLIP: each video picks its own audio from the
// batch's, and each audio its own video.
#include <cmath>

#include "avbench/losses.h"
#include "avbench/projected_pair.h"

namespace {

using namespace avbench;

constexpr double kLargestScale = 100;  // the logits' largest factor; CLIP, section 2.5

constexpr ParamSpec kParams[] = {
    number("temperature", 0.07, 1e-3, 100, "temperature of the softmax over similarities"),
    flag("learnable_temperature", false, "trained from `temperature` on, never below 0.01"),
    integer("projector_dim", 128, 1, 65536, "output of each projector"),
};

// The mean of both directions' cross-entropies over scale * cos. Section 2.3, arXiv:2103.00020.
Loss contrast(const Tensor& video, const Tensor& audio, const Tensor& scale) {
  check_pair("cmc", video, audio);
  const Tensor logits = scale * l2_normalize(video).mm(l2_normalize(audio).t());  // [B, B]
  const Tensor own = at::arange(video.size(0), video.options().dtype(at::kLong));
  const Tensor to_audio = at::cross_entropy_loss(logits, own);
  const Tensor to_video = at::cross_entropy_loss(logits.t(), own);
  return {(to_audio + to_video) / 2,
          {{"video_to_audio", to_audio.detach()}, {"audio_to_video", to_video.detach()}}};
}

Loss pure_loss(const NamedTensors& x, const Params& params) {
  const Tensor& video = x.at("video");
  const Tensor scale = at::scalar_tensor(1 / params.number("temperature"), video.options());
  return contrast(video, x.at("audio"), scale);
}

class Cmc : public ProjectedPair {
 public:
  explicit Cmc(const MethodContext& context)
      : ProjectedPair(context, pure_loss, {context.params.integer("projector_dim")}) {
    if (!params_.flag("learnable_temperature")) return;
    const double scale = 1 / params_.number("temperature");
    if (scale > kLargestScale) {
      usage_error("cmc: got temperature " + std::to_string(1 / scale) +
                  ", expected at least 0.01 with learnable_temperature, which never goes below");
    }
    log_scale_ = register_parameter("log_scale", at::scalar_tensor(std::log(scale)));
  }

  // With a learned temperature no parameter and no embedding holds it: the loss shows no inputs.
  Loss loss(const Batch& batch, const StepContext& context) override {
    const Pair x = gather(embed(towers().forward(batch)), context.group);
    if (!log_scale_.defined()) {
      return with_inputs(pure_loss, {{"video", x.video}, {"audio", x.audio}}, params_);
    }
    Loss loss = contrast(x.video, x.audio, log_scale_.exp());
    loss.parts.emplace_back("temperature", (-log_scale_.detach()).exp());
    return loss;
  }

  void after_step(const StepContext&) override {
    if (!log_scale_.defined()) return;
    const at::NoGradGuard no_grad;
    log_scale_.clamp_max_(std::log(kLargestScale));
  }

  // The temperature is not decayed, as in CLIP.
  std::vector<ParamGroup> param_groups(Stage stage) override {
    std::vector<ParamGroup> groups = Method::param_groups(stage);
    if (stage == Stage::kFinetune || !log_scale_.defined()) return groups;
    std::erase_if(groups.front().parameters,
                  [&](const Tensor& parameter) { return parameter.is_same(log_scale_); });
    groups.push_back({.parameters = {log_scale_}, .weight_decay = 0});
    return groups;
  }

 private:
  Tensor log_scale_;  // scalar, if the temperature is learned
};

constexpr MethodPlugin kPlugin = {
    .name = "cmc",
    .summary = "Contrasts each video with its own audio against the batch's other audio (InfoNCE)",
    .paper =
        "Tian, Krishnan, Isola: Contrastive Multiview Coding. ECCV 2020, arXiv:1906.05849; "
        "Radford, Kim et al.: Learning Transferable Visual Models From Natural Language "
        "Supervision. ICML 2021, arXiv:2103.00020",
    .params = kParams,
    .embeddings = kProjections,
    .loss = pure_loss,
    .create = create<Cmc>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
