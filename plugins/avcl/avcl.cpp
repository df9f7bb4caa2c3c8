// AVCL: attention-based fusion (AMFM), alignment of correlated channels (CGRA), contrast (SelfCL).
// Equation numbers are the paper's.
#include <torch/nn/modules/linear.h>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"
#include "readings.h"

namespace {

using namespace avbench;

constexpr double kLivingThreshold = 0.05;  // share of gate columns

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "f_v (alignment: fused) or ~v (towers)"},
    {"audio", "B,D", true, "f_a or ~a"},
};

Tensor cgra(const Pair& x, const Params& params) {
  const std::string& columns = params.choice("correlation");
  const Tensor correlation = columns == "standardised"  // Eq. 6
                                 ? cross_correlation(x.video, x.audio)
                                 : column_correlation(x.video, x.audio, columns == "centred");
  const Tensor loss = redundancy_reduction(correlation, params.number("lambda"));  // Eq. 5
  return params.choice("cgra_scale") == "none" ? loss : loss / correlation.size(0);
}

Tensor selfcl(const Pair& x, const Params& params) {
  const Tensor loss =
      nt_xent(x.video, x.audio, params.number("temperature"), Reduction::kSum);  // Eq. 7-10
  return params.choice("reduction") == "sum" ? loss : loss / x.video.size(0);
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
    Tensor z = squeeze_->forward(at::cat({x.video, x.audio}, 1));  // Eq. 1
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
        reading_(params_),
        amfm_(register_module("amfm", std::make_shared<Amfm>(towers().feature_dim(), params_))) {
    for (const std::string& layer : reading_.cgra_layers) {
      if (layer != "pool") towers().tap_channels(layer);  // refuses what the backbone lacks
    }
    if (const int64_t dim = params_.integer("projector_dim"); dim > 0) {
      project_ = HeadPair(*this, "project", {towers().feature_dim(), towers().feature_dim(), dim});
    }
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Features features = towers().forward(batch);
    const Pair plain = pooled(features);
    const Pair fused = reading_.gated ? gate(plain, params_.choice("gate_gradient")) : plain;
    Tensor cor = at::zeros({}, plain.video.options());
    for (const std::string& layer : reading_.cgra_layers) {
      const Pair seen = layer != "pool"      ? averaged(features, layer)
                        : reading_.cor_fused ? fused
                                             : plain;
      cor = cor + cgra(gather(seen, context.group), params_);
    }
    const Pair contrasted =
        gather(project_.forward(reading_.self_fused ? fused : plain), context.group);
    Loss loss = weighted(cor, selfcl(contrasted, params_), params_);
    if (reading_.one_pair) loss.inputs = {{"video", contrasted.video}, {"audio", contrasted.audio}};
    return loss;
  }

  // What SelfCL contrasts.
  Pair embed(const Features& features) override {
    const Pair plain = pooled(features);
    return project_.forward(reading_.self_fused ? gate(plain) : plain);
  }

  Tensor fuse(const Tensor& video, const Tensor& audio) override {
    const auto [f_v, f_a] = gate({video, audio});
    return at::cat({f_v, f_a}, 1);
  }

  // A gate that no loss of pretraining reaches stays as drawn; finetuning trains it either way.
  std::vector<ParamGroup> param_groups(Stage stage) override {
    const bool finetune = stage == Stage::kFinetune;
    std::vector<ParamGroup> groups = {{towers().parameters()}};
    if (finetune || reading_.gate_learns) groups.push_back({amfm_->parameters()});
    if (!finetune && project_) {
      groups.push_back({project_.video()->parameters()});
      groups.push_back({project_.audio()->parameters()});
    }
    return groups;
  }

  // A gate column that is zero for every sample passes nothing and gets no gradient any more.
  Diagnostics diagnostics(const Features& features) override {
    const at::NoGradGuard no_grad;
    const auto [video, audio] = amfm_->gates(pooled(features));
    const Tensor open = at::cat({video, audio}, 1) > 0;
    const double living = open.any(0).to(at::kDouble).mean().item<double>();
    Diagnostics diagnostics{{{"living_gate_columns", living}}, ""};
    if (living < kLivingThreshold) {
      diagnostics.collapse = "AMFM's gate is dead, " + std::to_string(std::lround(100 * living)) +
                             " % of its columns live";
    }
    return diagnostics;
  }

 private:
  Pair gate(const Pair& x, const std::string& gradient = "full") {
    Pair open = amfm_->gates(gradient == "full" ? x : x.detach());
    if (gradient == "frozen") open = open.detach();
    return {open.video * x.video, open.audio * x.audio};  // Eq. 3, 4
  }

  static Pair averaged(const Features& features, const std::string& layer) {
    return {features.video.taps.at(layer).mean({2, 3, 4}),
            features.audio.taps.at(layer).mean({2, 3, 4})};
  }

  avcl::Readings reading_;
  std::shared_ptr<Amfm> amfm_;
  HeadPair project_;  // before SelfCL, if there is one
};

constexpr MethodPlugin kPlugin = {
    .name = "avcl",
    .summary = "Fuses both modalities by attention, aligns their channels and contrasts samples",
    .paper = "Self-supervised Contrastive Learning for Audio-Visual Action Recognition (AVCL)",
    .params = avcl::kParams,
    .embeddings = kEmbeddings,
    .loss = pure_loss,
    .create = create<Avcl>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
