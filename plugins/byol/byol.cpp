// BYOL between two towers: each modality predicts what a slow copy of the network says of the
// other.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/momentum.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("momentum", 0.99, 0, 1, "momentum of the target network at the first step"),
    choice("momentum_schedule", "cosine", "cosine|constant",
           "the momentum rises to 1 along a half cosine over all steps, or stays"),
    integer("hidden_dim", 1024, 1, 65536, "width of each projector's hidden layer"),
    integer("projector_dim", 256, 1, 65536, "output of each projector and predictor"),
    integer("predictor_dim", 1024, 1, 65536, "width of each predictor's hidden layer"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"prediction_video", "B,D", true, "p_v of the online network"},
    {"target_video", "B,D", false, "t_v of the target network, what audio predicts"},
    {"prediction_audio", "B,D", true, "p_a of the online network"},
    {"target_audio", "B,D", false, "t_a of the target network, what video predicts"},
};

constexpr MlpOptions kHeads = {.batch_norm = true, .bias = false};

// |p / |p| - t / |t||^2. Eq. 2, arXiv:2006.07733.
Tensor distance(const Tensor& prediction, const Tensor& target) {
  return (2 - 2 * row_cosines(prediction, target.detach())).mean();
}

Loss pure_loss(const NamedTensors& x, const Params&) {
  return {distance(x.at("prediction_video"), x.at("target_audio")) +
          distance(x.at("prediction_audio"), x.at("target_video"))};
}

class Byol : public Method {
 public:
  explicit Byol(const MethodContext& context)
      : Method(context),
        project_(*this, "project",
                 {towers().feature_dim(), params_.integer("hidden_dim"),
                  params_.integer("projector_dim")},
                 kHeads),
        predict_(*this, "predict",
                 {params_.integer("projector_dim"), params_.integer("predictor_dim"),
                  params_.integer("projector_dim")},
                 kHeads),
        target_(*this, "target", towers_, project_) {}

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Pair online = gather(pooled(towers().forward(batch)), context.group);
    const Pair target = targets(batch, context);
    const Pair prediction = predict_.forward(project_.forward(online));
    return with_inputs(pure_loss,
                       {{"prediction_video", prediction.video},
                        {"target_video", target.video},
                        {"prediction_audio", prediction.audio},
                        {"target_audio", target.audio}},
                       params_);
  }

  // xi = tau * xi + (1 - tau) * theta. Eq. 1.
  void after_step(const StepContext& context) override {
    const double base = params_.number("momentum");
    target_.follow(params_.choice("momentum_schedule") == "constant"
                       ? base
                       : cosine_momentum(base, context.step, context.total_steps));
  }

  // With the online network's projections in the place of the targets.
  Pair embed(const Features& features) override {
    const Pair z = project_.forward(pooled(features));
    return prediction_space(predict_.forward(z), z);
  }

 private:
  Pair targets(const Batch& batch, const StepContext& context) {
    const at::NoGradGuard no_grad;
    const Pair slow = gather(pooled(target_.towers().forward(batch)), context.group);
    return target_.heads().forward(slow);
  }

  HeadPair project_, predict_;
  MomentumEncoder target_;
};

constexpr MethodPlugin kPlugin = {
    .name = "byol",
    .summary = "Each modality predicts what a moving average of the network says of the other",
    .paper =
        "Grill, Strub, Altche, Tallec, Richemond et al.: Bootstrap Your Own Latent: A New Approach "
        "to Self-Supervised Learning. NeurIPS 2020, arXiv:2006.07733",
    .params = kParams,
    .embeddings = kEmbeddings,
    .loss = pure_loss,
    .create = create<Byol>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
