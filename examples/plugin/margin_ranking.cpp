// Ranking with a margin: a video is closer to its own sound than to any other, and the other way
// round.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("margin", 0.2, 0, 2, "by which the own partner is closer than any other"),
    integer("projector_dim", 128, 1, 65536, "dimensions of the common space"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "projected videos"},
    {"audio", "B,D", true, "projected sounds"},
};

Views views(const Params&) { return base_views(); }

// sum_i sum_{j != i} max(0, margin - s_ii + s_ij) + max(0, margin - s_ii + s_ji), over B;
// s: cosine similarity. The ranking loss of arXiv:1411.2539, section 2.3.
Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  const Tensor video = unit(embeddings.at("video")), audio = unit(embeddings.at("audio"));
  TORCH_CHECK(video.sizes() == audio.sizes(), "shapes differ: ", video.sizes(), ", ",
              audio.sizes());
  const Tensor similarity = video.matmul(audio.t());  // [B, B]
  const Tensor own = similarity.diagonal();
  const double margin = params.number("margin");
  const auto violations = [&](const Tensor& partner) {
    const Tensor hinge = (margin - partner + similarity).clamp_min(0);
    return (hinge.sum() - hinge.diagonal().sum()) / video.size(0);
  };
  const Tensor to_audio = violations(own.unsqueeze(1)), to_video = violations(own.unsqueeze(0));
  return {to_audio + to_video, {{"to_audio", to_audio.detach()}, {"to_video", to_video.detach()}}};
}

class MarginRankingMethod : public Method {
 public:
  explicit MarginRankingMethod(const MethodContext& context)
      : Method(context), params_(context.params) {
    const std::vector<int64_t> sizes = {towers().feature_dim(), params_.integer("projector_dim")};
    project_video_ = register_module("project_video", mlp(sizes));
    project_audio_ = register_module("project_audio", mlp(sizes));
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const auto [video, audio] = embed(towers().forward(batch));
    return with_inputs(
        pure_loss,
        {{"video", context.group.all_gather(video)}, {"audio", context.group.all_gather(audio)}},
        params_);
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
    .name = "margin_ranking",
    .summary = "Ranks each video's own sound above the others of the batch, by a margin",
    .paper =
        "Kiros, Salakhutdinov, Zemel: Unifying Visual-Semantic Embeddings with Multimodal Neural "
        "Language Models. 2014, arXiv:1411.2539",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<MarginRankingMethod>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
