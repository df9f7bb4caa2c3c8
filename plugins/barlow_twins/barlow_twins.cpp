// Barlow Twins between two towers: the cross-correlation of video and audio becomes the identity.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("lambda", 0.0051, 0, 1e6, "weight of the off-diagonal correlations"),
    number("scale", 1, 1e-9, 1e9, "factor on the whole loss"),
    integer("projector_dim", 2048, 1, 65536, "every layer of each projector"),
    integer("projector_layers", 2, 1, 8, "layers of each projector"),
    number("bias_lr_scale", 1, 0, 1000,
           "learning rate of biases and batch norms as a share of the weights'"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "projected videos"},
    {"audio", "B,D", true, "projected sounds"},
};

Views views(const Params&) { return base_views(); }

// Eq. 1, arXiv:2103.03230.
Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  const Tensor correlation = cross_correlation(embeddings.at("video"), embeddings.at("audio"));
  return {params.number("scale") * redundancy_reduction(correlation, params.number("lambda"))};
}

class BarlowTwins : public Method {
 public:
  explicit BarlowTwins(const MethodContext& context) : Method(context), params_(context.params) {
    std::vector<int64_t> sizes(params_.integer("projector_layers") + 1,
                               params_.integer("projector_dim"));
    sizes.front() = towers().feature_dim();
    // The standardisation of the loss follows the last layer and would cancel a bias.
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

  std::vector<ParamGroup> param_groups(Stage stage) override {
    if (stage == Stage::kFinetune) return Method::param_groups(stage);
    ParamGroup weights, biases{.lr_scale = params_.number("bias_lr_scale")};
    for (const Tensor& parameter : parameters()) {
      (parameter.dim() > 1 ? weights : biases).parameters.push_back(parameter);
    }
    return {weights, biases};
  }

 private:
  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
};

const MethodPlugin kPlugin = {
    .name = "barlow_twins",
    .summary = "Makes the cross-correlation of video and audio features the identity",
    .paper =
        "Zbontar, Jing, Misra, LeCun, Deny: Barlow Twins: Self-Supervised Learning via "
        "Redundancy Reduction. ICML 2021, arXiv:2103.03230",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<BarlowTwins>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
