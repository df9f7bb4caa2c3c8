// SimCLR between two towers: a video and its own sound attract, all else in the batch repels.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("temperature", 0.1, 1e-3, 100, "of the softmax over similarities"),
    integer("hidden_dim", 512, 1, 65536, "hidden layers of each projector"),
    integer("projector_dim", 128, 1, 65536, "output of each projector"),
    integer("projector_layers", 2, 1, 8, "layers of each projector"),
    flag("batch_norm", false, "after every layer of the projectors"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "projected videos"},
    {"audio", "B,D", true, "projected sounds"},
};

Views views(const Params&) { return base_views(); }

// Mean over the 2B anchors. Eq. 1, arXiv:2002.05709.
Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  return {nt_xent(embeddings.at("video"), embeddings.at("audio"), params.number("temperature"))};
}

class SimClr : public Method {
 public:
  explicit SimClr(const MethodContext& context) : Method(context), params_(context.params) {
    std::vector<int64_t> sizes(params_.integer("projector_layers") + 1,
                               params_.integer("hidden_dim"));
    sizes.front() = towers().feature_dim();
    sizes.back() = params_.integer("projector_dim");
    const bool norm = params_.flag("batch_norm");
    const MlpOptions options = {.batch_norm = norm, .output_batch_norm = norm};
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
    .name = "simclr",
    .summary = "Contrasts each video with its own sound against the rest of the batch (NT-Xent)",
    .paper =
        "Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of "
        "Visual Representations. ICML 2020, arXiv:2002.05709",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<SimClr>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
