// SimSiam between two towers: each modality predicts the other's projection, whose gradient stops.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    integer("projector_dim", 512, 1, 65536, "every layer of each projector"),
    integer("projector_layers", 2, 1, 8, "layers of each projector, each with batch norm"),
    integer("predictor_dim", 128, 1, 65536, "hidden layer of each predictor"),
    number("predictor_lr_scale", 1, 0, 1000, "the predictors' learning rate over that of the rest"),
    flag("constant_predictor_lr", false, "the schedule leaves the predictors' learning rate alone"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"prediction_video", "B,D", true, "p_v"},
    {"projection_video", "B,D", false, "z_v, what audio predicts"},
    {"prediction_audio", "B,D", true, "p_a"},
    {"projection_audio", "B,D", false, "z_a, what video predicts"},
};

Views views(const Params&) { return base_views(); }

// Eq. 1, arXiv:2011.10566.
Tensor similarity(const Tensor& prediction, const Tensor& projection) {
  return row_cosines(prediction, projection.detach()).mean();
}

// Eq. 2-4.
Loss pure_loss(const NamedTensors& x, const Params&) {
  return {-(similarity(x.at("prediction_video"), x.at("projection_audio")) +
            similarity(x.at("prediction_audio"), x.at("projection_video"))) /
          2};
}

class SimSiam : public Method {
 public:
  explicit SimSiam(const MethodContext& context) : Method(context), params_(context.params) {
    const int64_t dim = params_.integer("projector_dim");
    std::vector<int64_t> sizes(params_.integer("projector_layers") + 1, dim);
    sizes.front() = towers().feature_dim();
    const MlpOptions normed = {.batch_norm = true, .output_batch_norm = true};
    project_video_ = register_module("project_video", mlp(sizes, normed));
    project_audio_ = register_module("project_audio", mlp(sizes, normed));
    const std::vector<int64_t> narrow = {dim, params_.integer("predictor_dim"), dim};
    predict_video_ = register_module("predict_video", mlp(narrow, {.batch_norm = true}));
    predict_audio_ = register_module("predict_audio", mlp(narrow, {.batch_norm = true}));
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Features features = gather_pooled(towers().forward(batch), context.group);
    const Tensor z_v = project_video_->forward(features.video.pooled);
    const Tensor z_a = project_audio_->forward(features.audio.pooled);
    return with_inputs(pure_loss,
                       {{"prediction_video", predict_video_->forward(z_v)},
                        {"projection_video", z_v.detach()},
                        {"prediction_audio", predict_audio_->forward(z_a)},
                        {"projection_audio", z_a.detach()}},
                       params_);
  }

  // [p_v, z_v] and [z_a, p_a]: the cosine of two such rows is the similarity that is trained.
  std::pair<Tensor, Tensor> embed(const Features& features) override {
    const Tensor z_v = project_video_->forward(features.video.pooled);
    const Tensor z_a = project_audio_->forward(features.audio.pooled);
    return {at::cat({unit(predict_video_->forward(z_v)), unit(z_v)}, 1),
            at::cat({unit(z_a), unit(predict_audio_->forward(z_a))}, 1)};
  }

  std::vector<ParamGroup> param_groups(Stage stage) override {
    if (stage == Stage::kFinetune) return Method::param_groups(stage);
    ParamGroup followers, predictors{.lr_scale = params_.number("predictor_lr_scale"),
                                     .constant_lr = params_.flag("constant_predictor_lr")};
    for (const auto& parameter : named_parameters()) {
      const bool predicts = parameter.key().starts_with("predict_");
      (predicts ? predictors : followers).parameters.push_back(parameter.value());
    }
    return {followers, predictors};
  }

 private:
  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
  torch::nn::Sequential predict_video_{nullptr}, predict_audio_{nullptr};
};

const MethodPlugin kPlugin = {
    .name = "simsiam",
    .summary = "Each modality predicts the projection of the other, which gets no gradient",
    .paper =
        "Chen, He: Exploring Simple Siamese Representation Learning. CVPR 2021, arXiv:2011.10566",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<SimSiam>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
