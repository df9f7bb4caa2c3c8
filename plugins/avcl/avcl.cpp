// AVCL: attention-based fusion (AMFM), alignment of correlated channels (CGRA), contrast (SelfCL).
// Equation numbers are the paper's.
#include <torch/nn/modules/linear.h>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

using Pair = std::pair<Tensor, Tensor>;  // video, audio

constexpr double kLivingThreshold = 0.05;  // share of gate columns

constexpr ParamSpec kParams[] = {
    number("temperature", 0.5, 1e-3, 100, "tau of SelfCL, Eq. 8"),
    number("lambda", 0.005, 0, 1e6, "weight of the off-diagonal correlations in CGRA, Eq. 5"),
    number("lambda_cor", 0.9, 0, 1e6, "weight of CGRA, Eq. 11"),
    number("lambda_self", 0.1, 0, 1e6, "weight of SelfCL, Eq. 11"),
    choice("alignment", "fused", "fused|towers",
           "what the losses see: f_v and f_a after AMFM as printed, or the towers' outputs"),
    choice("selfcl_on", "alignment", "alignment|fused|towers",
           "what SelfCL sees: the same as CGRA as printed, or a choice of its own"),
    choice("correlation", "standardised", "standardised|centred|raw",
           "columns of Eq. 6 over the batch: of mean 0 and deviation 1, of mean 0 and norm 1, or "
           "of norm 1 as printed"),
    list("cgra_layers", "pool", "conv3|conv4|conv5|pool",
         "where CGRA applies, its terms added: stages of the towers, averaged over time, height "
         "and width, and pool, the features that `alignment` chooses; empty: nowhere"),
    choice("cgra_scale", "none", "none|channels",
           "Eq. 5 as a sum as printed, or divided by the number of channels"),
    choice("reduction", "sum", "sum|mean",
           "of SelfCL over the samples: sum as printed in Eq. 7 and 9, or mean"),
    integer("projector_dim", 0, 0, 65536,
            "output of each modality's two-layer head before SelfCL; 0: no head, as printed"),
    choice("gate", "shared", "shared|per_modality",
           "one E for both modalities as printed, or one each, both from Z"),
    choice("gate_hidden", "linear", "linear|relu", "Z as printed, or ReLU(Z)"),
    choice("gate_activation", "relu", "relu|sigmoid", "of E in Eq. 3 and 4"),
    choice("gate_gradient", "full", "full|stopped|frozen",
           "where the losses lead through E: to AMFM and on to the towers, to AMFM only, nowhere"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "f_v (alignment: fused) or ~v (towers)"},
    {"audio", "B,D", true, "f_a or ~a"},
};

Views views(const Params&) { return base_views(); }

Tensor cgra(const Pair& x, const Params& params) {
  const std::string& columns = params.choice("correlation");
  const Tensor correlation = columns == "standardised"  // Eq. 6
                                 ? cross_correlation(x.first, x.second)
                                 : column_correlation(x.first, x.second, columns == "centred");
  const Tensor loss = redundancy_reduction(correlation, params.number("lambda"));  // Eq. 5
  return params.choice("cgra_scale") == "none" ? loss : loss / correlation.size(0);
}

Tensor selfcl(const Pair& x, const Params& params) {
  const Tensor loss =
      nt_xent(x.first, x.second, params.number("temperature"), Reduction::kSum);  // Eq. 7-10
  return params.choice("reduction") == "sum" ? loss : loss / x.first.size(0);
}

// Eq. 11
Loss weighted(const Tensor& cor, const Tensor& self, const Params& params) {
  return {params.number("lambda_cor") * cor + params.number("lambda_self") * self,
          {{"cor", cor.detach()}, {"self", self.detach()}}};
}

Loss pure_loss(const NamedTensors& embeddings, const Params& params) {
  const Pair x = {embeddings.at("video"), embeddings.at("audio")};
  return weighted(cgra(x, params), selfcl(x, params), params);
}

// The gates, from both modalities.
class Amfm : public torch::nn::Module {
 public:
  Amfm(int64_t dim, const Params& params)
      : rectify_(params.choice("gate_hidden") == "relu"),
        sigmoid_(params.choice("gate_activation") == "sigmoid"),
        squeeze_(register_module("squeeze", torch::nn::Linear(2 * dim, dim))) {
    const bool shared = params.choice("gate") == "shared";
    excite_ = register_module(shared ? "excite" : "excite_video", torch::nn::Linear(dim, dim));
    if (!shared) excite_audio_ = register_module("excite_audio", torch::nn::Linear(dim, dim));
  }

  Pair gates(const Pair& x) {
    Tensor z = squeeze_->forward(at::cat({x.first, x.second}, 1));  // Eq. 1
    if (rectify_) z = at::relu(z);
    const Tensor video = opened(excite_->forward(z));  // Eq. 2
    return {video, excite_audio_ ? opened(excite_audio_->forward(z)) : video};
  }

 private:
  Tensor opened(const Tensor& e) const { return sigmoid_ ? at::sigmoid(e) : at::relu(e); }

  bool rectify_, sigmoid_;
  torch::nn::Linear squeeze_, excite_{nullptr}, excite_audio_{nullptr};
};

class Avcl : public Method {
 public:
  explicit Avcl(const MethodContext& context)
      : Method(context),
        params_(context.params),
        amfm_(register_module("amfm",
                              std::make_shared<Amfm>(towers().feature_dim(), context.params))) {
    const std::string& self = params_.choice("selfcl_on");
    cor_fused_ = params_.choice("alignment") == "fused";
    self_fused_ = self == "alignment" ? cor_fused_ : self == "fused";
    for (const std::string& layer : params_.list("cgra_layers")) {
      if (layer == "pool") {
        gated_ |= cor_fused_;
      } else {
        towers().tap_channels(layer);  // refuses a layer that the backbone lacks
      }
    }
    gated_ |= self_fused_;
    check_combination();
    if (const int64_t dim = params_.integer("projector_dim"); dim > 0) {
      const std::vector<int64_t> sizes = {towers().feature_dim(), towers().feature_dim(), dim};
      project_video_ = register_module("project_video", mlp(sizes));
      project_audio_ = register_module("project_audio", mlp(sizes));
    }
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Features features = towers().forward(batch);
    const Pair plain = {features.video.pooled, features.audio.pooled};
    const Pair fused = gated_ ? gate(plain, params_.choice("gate_gradient")) : plain;
    const auto gathered = [&](const Pair& x) {
      return Pair{context.group.all_gather(x.first), context.group.all_gather(x.second)};
    };
    Tensor cor = at::zeros({}, plain.first.options());
    for (const std::string& layer : params_.list("cgra_layers")) {
      const Pair seen = layer != "pool" ? averaged(features, layer) : cor_fused_ ? fused : plain;
      cor = cor + cgra(gathered(seen), params_);
    }
    const Pair contrasted = gathered(project(self_fused_ ? fused : plain));
    Loss loss = weighted(cor, selfcl(contrasted, params_), params_);
    if (is_pure()) loss.inputs = {{"video", contrasted.first}, {"audio", contrasted.second}};
    return loss;
  }

  // What SelfCL contrasts.
  Pair embed(const Features& features) override {
    const Pair plain = {features.video.pooled, features.audio.pooled};
    return project(self_fused_ ? gate(plain) : plain);
  }

  Tensor fuse(const Tensor& video, const Tensor& audio) override {
    const auto [f_v, f_a] = gate({video, audio});
    return at::cat({f_v, f_a}, 1);
  }

  // A gate that no loss of pretraining reaches stays as drawn; finetuning trains it either way.
  std::vector<ParamGroup> param_groups(Stage stage) override {
    const bool finetune = stage == Stage::kFinetune;
    const bool learns = gated_ && params_.choice("gate_gradient") != "frozen";
    std::vector<ParamGroup> groups = {{towers().parameters()}};
    if (finetune || learns) groups.push_back({amfm_->parameters()});
    if (!finetune && project_video_) {
      groups.push_back({project_video_->parameters()});
      groups.push_back({project_audio_->parameters()});
    }
    return groups;
  }

  // A gate column that is zero for every sample passes nothing and gets no gradient any more.
  Health health(const Features& features) override {
    const at::NoGradGuard no_grad;
    const auto [video, audio] = amfm_->gates({features.video.pooled, features.audio.pooled});
    const Tensor open = at::cat({video, audio}, 1) > 0;
    const double living = open.any(0).to(at::kDouble).mean().item<double>();
    Health health{{{"living_gate_columns", living}}, ""};
    if (living < kLivingThreshold) {
      health.collapse = "AMFM's gate is dead, " + std::to_string(std::lround(100 * living)) +
                        " % of its columns live";
    }
    return health;
  }

 private:
  void check_combination() const {
    const bool contrasts = params_.number("lambda_self") > 0;
    const bool aligns = params_.number("lambda_cor") > 0 && !params_.list("cgra_layers").empty();
    if (!contrasts && !aligns) {
      usage_error(
          "avcl: got lambda_self 0 and no CGRA (lambda_cor 0 or cgra_layers empty), "
          "expected at least one of the two losses");
    }
    if (!contrasts && params_.integer("projector_dim") > 0) {
      usage_error(
          "avcl: got projector_dim above 0 with lambda_self 0, expected 0: the head stands "
          "before SelfCL, and nothing would train it");
    }
    if (!gated_ && params_.choice("gate_gradient") != "full") {
      usage_error("avcl: got gate_gradient " + params_.choice("gate_gradient") +
                  " where no loss sees the gate, expected full, or alignment or selfcl_on fused");
    }
  }

  // Both losses see one pair of tensors, as in pure_loss.
  bool is_pure() const {
    return params_.list("cgra_layers") == std::vector<std::string>{"pool"} &&
           cor_fused_ == self_fused_ && !project_video_;
  }

  Pair gate(const Pair& x, const std::string& gradient = "full") {
    Pair open = amfm_->gates(gradient == "full" ? x : detached(x));
    if (gradient == "frozen") open = detached(open);
    return {open.first * x.first, open.second * x.second};  // Eq. 3, 4
  }

  Pair project(const Pair& x) {
    if (!project_video_) return x;
    return {project_video_->forward(x.first), project_audio_->forward(x.second)};
  }

  static Pair detached(const Pair& x) { return {x.first.detach(), x.second.detach()}; }

  static Pair averaged(const Features& features, const std::string& layer) {
    return {features.video.taps.at(layer).mean({2, 3, 4}),
            features.audio.taps.at(layer).mean({2, 3, 4})};
  }

  Params params_;
  bool cor_fused_, self_fused_, gated_ = false;  // gated_: a loss sees the gate
  std::shared_ptr<Amfm> amfm_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
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
