// BYOL between two towers: each modality predicts what a slow copy of the network says of the
// other.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/momentum.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("momentum", 0.99, 0, 1, "of the target network at the first step"),
    choice("momentum_schedule", "cosine", "cosine|constant",
           "raised to 1 along a half cosine over all steps, or kept"),
    integer("hidden_dim", 1024, 1, 65536, "hidden layer of each projector"),
    integer("projector_dim", 256, 1, 65536, "output of each projector and predictor"),
    integer("predictor_dim", 1024, 1, 65536, "hidden layer of each predictor"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"prediction_video", "B,D", true, "p_v of the online network"},
    {"target_video", "B,D", false, "t_v of the target network, what audio predicts"},
    {"prediction_audio", "B,D", true, "p_a of the online network"},
    {"target_audio", "B,D", false, "t_a of the target network, what video predicts"},
};

Views views(const Params&) { return base_views(); }

// |unit(p) - unit(t)|^2. Eq. 2, arXiv:2006.07733.
Tensor distance(const Tensor& prediction, const Tensor& target) {
  return (2 - 2 * row_cosines(prediction, target.detach())).mean();
}

Loss pure_loss(const NamedTensors& x, const Params&) {
  return {distance(x.at("prediction_video"), x.at("target_audio")) +
          distance(x.at("prediction_audio"), x.at("target_video"))};
}

class Byol : public Method {
 public:
  explicit Byol(const MethodContext& context) : Method(context), params_(context.params) {
    const int64_t dim = params_.integer("projector_dim");
    const MlpOptions options = {.batch_norm = true, .bias = false};
    const auto head = [&](const char* name, int64_t in, int64_t hidden) {
      return register_module(name, mlp({in, hidden, dim}, options));
    };
    project_video_ = head("project_video", towers().feature_dim(), params_.integer("hidden_dim"));
    project_audio_ = head("project_audio", towers().feature_dim(), params_.integer("hidden_dim"));
    predict_video_ = head("predict_video", dim, params_.integer("predictor_dim"));
    predict_audio_ = head("predict_audio", dim, params_.integer("predictor_dim"));
    target_towers_ = register_module("target_towers", towers().momentum_copy());
    target_video_ = register_module("target_video", momentum_copy(project_video_));
    target_audio_ = register_module("target_audio", momentum_copy(project_audio_));
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Features online = gather_pooled(towers().forward(batch), context.group);
    const auto [target_video, target_audio] = targets(batch, context);
    const Tensor z_v = project_video_->forward(online.video.pooled);
    const Tensor z_a = project_audio_->forward(online.audio.pooled);
    return with_inputs(pure_loss,
                       {{"prediction_video", predict_video_->forward(z_v)},
                        {"target_video", target_video},
                        {"prediction_audio", predict_audio_->forward(z_a)},
                        {"target_audio", target_audio}},
                       params_);
  }

  // xi = tau * xi + (1 - tau) * theta. Eq. 1.
  void after_step(const StepContext& context) override {
    const double base = params_.number("momentum");
    const double tau = params_.choice("momentum_schedule") == "constant"
                           ? base
                           : cosine_momentum(base, context.step, context.total_steps);
    ema_update(*target_towers_, towers(), tau);
    ema_update(*target_video_, *project_video_, tau);
    ema_update(*target_audio_, *project_audio_, tau);
  }

  // [p_v, z_v] and [z_a, p_a]: the cosine of two such rows is the similarity that is trained, with
  // the online network's projections in the targets' place.
  std::pair<Tensor, Tensor> embed(const Features& features) override {
    const Tensor z_v = project_video_->forward(features.video.pooled);
    const Tensor z_a = project_audio_->forward(features.audio.pooled);
    return {at::cat({unit(predict_video_->forward(z_v)), unit(z_v)}, 1),
            at::cat({unit(z_a), unit(predict_audio_->forward(z_a))}, 1)};
  }

 private:
  std::pair<Tensor, Tensor> targets(const Batch& batch, const StepContext& context) {
    const at::NoGradGuard no_grad;
    const Features slow = gather_pooled(target_towers_->forward(batch), context.group);
    return {target_video_->forward(slow.video.pooled), target_audio_->forward(slow.audio.pooled)};
  }

  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
  torch::nn::Sequential predict_video_{nullptr}, predict_audio_{nullptr};
  std::shared_ptr<Towers> target_towers_;
  torch::nn::Sequential target_video_{nullptr}, target_audio_{nullptr};
};

const MethodPlugin kPlugin = {
    .name = "byol",
    .summary = "Each modality predicts what a moving average of the network says of the other",
    .paper =
        "Grill, Strub, Altche, Tallec, Richemond et al.: Bootstrap Your Own Latent: A New Approach "
        "to Self-Supervised Learning. NeurIPS 2020, arXiv:2006.07733",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<Byol>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
