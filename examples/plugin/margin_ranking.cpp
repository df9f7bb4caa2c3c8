// Ranking with a margin: a video is closer to its own audio than to any other, and the other way
// round.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("margin", 0.2, 0, 2, "how much closer the own partner is to be than any other"),
    integer("projector_dim", 128, 1, 65536, "dimensions of the common space"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "projected videos"},
    {"audio", "B,D", true, "projected audio"},
};

// sum_i sum_{j != i} max(0, margin - s_ii + s_ij) + max(0, margin - s_ii + s_ji), over B;
// s: cosine similarity. The ranking loss of arXiv:1411.2539, section 2.3.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const Tensor video = l2_normalize(x.at("video")), audio = l2_normalize(x.at("audio"));
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
      : Method(context),
        project_(*this, "project", {towers().feature_dim(), params_.integer("projector_dim")}) {}

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Pair x = gather(embed(towers().forward(batch)), context.group);
    return with_inputs(pure_loss, {{"video", x.video}, {"audio", x.audio}}, params_);
  }

  Pair embed(const Features& features) override { return project_.forward(pooled(features)); }

 private:
  HeadPair project_;
};

constexpr MethodPlugin kPlugin = {
    .name = "margin_ranking",
    .summary = "Ranks each video's own audio above all other audio of the batch, by a margin",
    .paper =
        "Kiros, Salakhutdinov, Zemel: Unifying Visual-Semantic Embeddings with Multimodal Neural "
        "Language Models. 2014, arXiv:1411.2539",
    .params = kParams,
    .embeddings = kEmbeddings,
    .loss = pure_loss,
    .create = create<MarginRankingMethod>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
