// InfoNCE between two towers, in the form of CMC and CLIP: each video picks its own sound among the
// batch's sounds, and each sound its own video.
#include <cmath>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr double kLargestScale = 100;  // of the logits; CLIP, section 2.5

constexpr ParamSpec kParams[] = {
    number("temperature", 0.07, 1e-3, 100, "of the softmax over similarities"),
    flag("learnable_temperature", false, "trained from `temperature` on, never below 0.01"),
    integer("projector_dim", 128, 1, 65536, "output of each projector"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "projected videos"},
    {"audio", "B,D", true, "projected sounds"},
};

Views views(const Params&) { return base_views(); }

// The mean of both directions' cross-entropies over scale * cos. Section 2.3, arXiv:2103.00020.
Loss contrast(const Tensor& video, const Tensor& audio, const Tensor& scale) {
  TORCH_CHECK(video.dim() == 2 && video.sizes() == audio.sizes(), "cmc: got shapes ", video.sizes(),
              " and ", audio.sizes(), ", expected [B, D] twice");
  if (video.size(0) < 2) {
    usage_error(
        "cmc: got a batch of 1, expected at least 2 samples: a sample is compared with "
        "the others");
  }
  const Tensor logits = scale * unit(video).mm(unit(audio).t());  // [B, B]
  const Tensor own = at::arange(video.size(0), video.options().dtype(at::kLong));
  const Tensor to_audio = at::cross_entropy_loss(logits, own);
  const Tensor to_video = at::cross_entropy_loss(logits.t(), own);
  return {(to_audio + to_video) / 2,
          {{"video_to_audio", to_audio.detach()}, {"audio_to_video", to_video.detach()}}};
}

Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  const Tensor& video = embeddings.at("video");
  const Tensor scale = at::scalar_tensor(1 / params.number("temperature"), video.options());
  return contrast(video, embeddings.at("audio"), scale);
}

class Cmc : public Method {
 public:
  explicit Cmc(const MethodContext& context) : Method(context), params_(context.params) {
    const std::vector<int64_t> sizes = {towers().feature_dim(), params_.integer("projector_dim")};
    project_video_ = register_module("project_video", mlp(sizes));
    project_audio_ = register_module("project_audio", mlp(sizes));
    if (!params_.flag("learnable_temperature")) return;
    const double scale = 1 / params_.number("temperature");
    if (scale > kLargestScale) {
      usage_error("cmc: got temperature " + std::to_string(1 / scale) +
                  ", expected at least 0.01 with learnable_temperature, which never goes below");
    }
    log_scale_ = register_parameter("log_scale", at::scalar_tensor(std::log(scale)));
  }

  // With a learnt temperature no parameter and no embedding holds it: the loss shows no inputs.
  Loss loss(const Batch& batch, const StepContext& context) override {
    const auto [own_video, own_audio] = embed(towers().forward(batch));
    const Tensor video = context.group.all_gather(own_video);
    const Tensor audio = context.group.all_gather(own_audio);
    if (!log_scale_.defined()) {
      return with_inputs(pure_loss, {{"video", video}, {"audio", audio}}, params_);
    }
    Loss loss = contrast(video, audio, log_scale_.exp());
    loss.parts.emplace_back("temperature", (-log_scale_.detach()).exp());
    return loss;
  }

  void after_step(const StepContext&) override {
    if (!log_scale_.defined()) return;
    const at::NoGradGuard no_grad;
    log_scale_.clamp_max_(std::log(kLargestScale));
  }

  std::pair<Tensor, Tensor> embed(const Features& features) override {
    return {project_video_->forward(features.video.pooled),
            project_audio_->forward(features.audio.pooled)};
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
  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
  Tensor log_scale_;  // scalar, if the temperature is learnt
};

const MethodPlugin kPlugin = {
    .name = "cmc",
    .summary = "Contrasts each video with its own sound against the batch's other sounds (InfoNCE)",
    .paper =
        "Tian, Krishnan, Isola: Contrastive Multiview Coding. ECCV 2020, arXiv:1906.05849; "
        "Radford, Kim et al.: Learning Transferable Visual Models From Natural Language "
        "Supervision. ICML 2021, arXiv:2103.00020",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<Cmc>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
