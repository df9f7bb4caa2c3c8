// AVCL: attention-based fusion (AMFM), alignment of correlated channels (CGRA), contrast (SelfCL).
// Equation numbers are the paper's.
#include <torch/nn/modules/linear.h>

#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr double kLivingThreshold = 0.05;  // share of gate columns

constexpr ParamSpec kParams[] = {
    number("temperature", 0.5, 1e-3, 100, "tau of SelfCL, Eq. 8"),
    number("lambda", 0.005, 0, 1e6, "weight of the off-diagonal correlations in CGRA, Eq. 5"),
    number("lambda_cor", 0.9, 0, 1e6, "weight of CGRA, Eq. 11"),
    number("lambda_self", 0.1, 0, 1e6, "weight of SelfCL, Eq. 11"),
    choice("alignment", "fused", "fused|towers",
           "what the losses see: f_v and f_a after AMFM as printed, or the towers' outputs"),
    choice("correlation", "centred", "centred|raw",
           "columns of Eq. 6: centred over the batch, or raw as printed"),
    choice("reduction", "sum", "sum|mean",
           "of SelfCL over the samples: sum as printed in Eq. 7 and 9, or mean"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "f_v (alignment: fused) or ~v (towers)"},
    {"audio", "B,D", true, "f_a or ~a"},
};

Views views(const Params&) { return base_views(); }

Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  const Tensor& video = embeddings.at("video");
  const Tensor& audio = embeddings.at("audio");
  const bool centred = params.choice("correlation") == "centred";
  const Tensor cor = redundancy_reduction(column_correlation(video, audio, centred),
                                          params.number("lambda"));                    // Eq. 5, 6
  Tensor self = nt_xent(video, audio, params.number("temperature"), Reduction::kSum);  // Eq. 7-10
  if (params.choice("reduction") == "mean") self = self / video.size(0);
  return {params.number("lambda_cor") * cor + params.number("lambda_self") * self,  // Eq. 11
          {{"cor", cor.detach()}, {"self", self.detach()}}};
}

// One gate for both modalities, from both.
class Amfm : public torch::nn::Module {
 public:
  explicit Amfm(int64_t dim)
      : squeeze_(register_module("squeeze", torch::nn::Linear(2 * dim, dim))),
        excite_(register_module("excite", torch::nn::Linear(dim, dim))) {}

  Tensor gate(const Tensor& video, const Tensor& audio) {
    const Tensor z = squeeze_->forward(at::cat({video, audio}, 1));  // Eq. 1
    return at::relu(excite_->forward(z));                            // Eq. 2
  }

  std::pair<Tensor, Tensor> forward(const Tensor& video, const Tensor& audio) {
    const Tensor open = gate(video, audio);
    return {open * video, open * audio};  // Eq. 3, 4
  }

 private:
  torch::nn::Linear squeeze_, excite_;
};

class Avcl : public Method {
 public:
  explicit Avcl(const MethodContext& context)
      : Method(context),
        params_(context.params),
        fused_(params_.choice("alignment") == "fused"),
        amfm_(register_module("amfm", std::make_shared<Amfm>(towers().feature_dim()))) {}

  Loss loss(const Batch& batch, const StepContext& context) override {
    const auto [video, audio] = embed(towers().forward(batch));
    return pure_loss(
        {{"video", context.group.all_gather(video)}, {"audio", context.group.all_gather(audio)}},
        params_);
  }

  std::pair<Tensor, Tensor> embed(const Features& features) override {
    if (!fused_) return Method::embed(features);
    return amfm_->forward(features.video.pooled, features.audio.pooled);
  }

  Tensor fuse(const Tensor& video, const Tensor& audio) override {
    const auto [f_v, f_a] = amfm_->forward(video, audio);
    return at::cat({f_v, f_a}, 1);
  }

  // With alignment: towers no loss of pretraining reaches AMFM; finetuning trains it either way.
  std::vector<ParamGroup> param_groups(Stage stage) override {
    std::vector<ParamGroup> groups = {{towers().parameters()}};
    if (fused_ || stage == Stage::kFinetune) groups.push_back({amfm_->parameters()});
    return groups;
  }

  // A gate column that is zero for every sample passes nothing and gets no gradient any more.
  Health health(const Features& features) override {
    const at::NoGradGuard no_grad;
    const Tensor gate = amfm_->gate(features.video.pooled, features.audio.pooled);
    const double living = (gate > 0).any(0).to(at::kDouble).mean().item<double>();
    Health health{{{"living_gate_columns", living}}, ""};
    if (living < kLivingThreshold) {
      health.collapse = "AMFM's gate is dead, " + std::to_string(std::lround(100 * living)) +
                        " % of its columns live";
    }
    return health;
  }

 private:
  Params params_;
  bool fused_;
  std::shared_ptr<Amfm> amfm_;
};

const MethodPlugin kPlugin = {
    .name = "avcl",
    .summary = "Fuses both modalities by attention, aligns their channels and contrasts samples",
    .paper = "Self-supervised Contrastive Learning for Audio-Visual Action Recognition (AVCL)",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<Avcl>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
