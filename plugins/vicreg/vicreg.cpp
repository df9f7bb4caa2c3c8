// VICReg between two towers: video and audio agree, every feature varies, no two features vary
// together.
#include "avbench/heads.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("invariance_weight", 25, 0, 1e6, "of the distance between video and audio"),
    number("variance_weight", 25, 0, 1e6, "of the hinge on each feature's deviation"),
    number("covariance_weight", 1, 0, 1e6, "of the covariances between features"),
    integer("projector_dim", 2048, 1, 65536, "every layer of each expander"),
    integer("projector_layers", 3, 1, 8, "layers of each expander"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "expanded videos"},
    {"audio", "B,D", true, "expanded sounds"},
};

constexpr double kDeviation = 1;         // gamma, the deviation that each feature is to reach
constexpr double kVarianceFloor = 1e-4;  // epsilon of Eq. 2

Views views(const Params&) { return base_views(); }

// mean_j max(0, gamma - sqrt(var_j + epsilon)), unbiased. Eq. 1 and 2, arXiv:2105.04906.
Tensor variance_hinge(const Tensor& x) {
  const Tensor deviation = (x.var(0, /*unbiased=*/true) + kVarianceFloor).sqrt();
  return (kDeviation - deviation).clamp_min(0).mean();
}

// sum_{i != j} C_ij^2 / D, C over B - 1. Eq. 3 and 4.
Tensor covariance(const Tensor& x) {
  const Tensor centred = x - x.mean(0, /*keepdim=*/true);
  const Tensor squares = (centred.t().mm(centred) / (x.size(0) - 1)).square();
  return (squares.sum() - squares.diagonal().sum()) / x.size(1);
}

// Eq. 6, with the official code's mean over the features and half of each variance term.
Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  const Tensor &video = embeddings.at("video"), &audio = embeddings.at("audio");
  TORCH_CHECK(video.dim() == 2 && video.sizes() == audio.sizes(), "vicreg: got shapes ",
              video.sizes(), " and ", audio.sizes(), ", expected [B, D] twice");
  if (video.size(0) < 2) {
    usage_error("vicreg: got a batch of 1, expected at least 2 samples: it needs a variance");
  }
  const Tensor invariance = (video - audio).square().mean();
  const Tensor variance = (variance_hinge(video) + variance_hinge(audio)) / 2;
  const Tensor correlation = covariance(video) + covariance(audio);
  return {params.number("invariance_weight") * invariance +
              params.number("variance_weight") * variance +
              params.number("covariance_weight") * correlation,
          {{"invariance", invariance.detach()},
           {"variance", variance.detach()},
           {"covariance", correlation.detach()}}};
}

class VicReg : public Method {
 public:
  explicit VicReg(const MethodContext& context) : Method(context), params_(context.params) {
    std::vector<int64_t> sizes(params_.integer("projector_layers") + 1,
                               params_.integer("projector_dim"));
    sizes.front() = towers().feature_dim();
    const MlpOptions options = {.batch_norm = true, .bias = false};
    project_video_ = register_module("project_video", mlp(sizes, options));
    project_audio_ = register_module("project_audio", mlp(sizes, options));
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const auto [video, audio] = embed(gather_pooled(towers().forward(batch), context.group));
    return with_inputs(pure_loss, {{"video", video}, {"audio", audio}}, params_);
  }

  std::pair<Tensor, Tensor> embed(const Features& features) override {
    return {project_video_->forward(features.video.pooled),
            project_audio_->forward(features.audio.pooled)};
  }

 private:
  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
};

const MethodPlugin kPlugin = {
    .name = "vicreg",
    .summary = "Draws video and audio together while features keep varying, each by itself",
    .paper =
        "Bardes, Ponce, LeCun: VICReg: Variance-Invariance-Covariance Regularization for "
        "Self-Supervised Learning. ICLR 2022, arXiv:2105.04906",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<VicReg>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
