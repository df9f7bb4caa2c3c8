// SimSiam between two towers: each modality predicts the other's projection, whose gradient stops.
#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    integer("projector_dim", 512, 1, 65536, "width of every layer of each projector"),
    integer("projector_layers", 2, 1, 8, "layers of each projector, each with batch norm"),
    integer("predictor_dim", 128, 1, 65536, "width of each predictor's hidden layer"),
    number("predictor_lr_scale", 1, 0, 1000, "the predictors' learning rate over that of the rest"),
    flag("constant_predictor_lr", false, "the schedule leaves the predictors' learning rate alone"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"prediction_video", "B,D", true, "p_v"},
    {"projection_video", "B,D", false, "z_v, what audio predicts"},
    {"prediction_audio", "B,D", true, "p_a"},
    {"projection_audio", "B,D", false, "z_a, what video predicts"},
};

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
  explicit SimSiam(const MethodContext& context) : Method(context) {
    const int64_t dim = params_.integer("projector_dim");
    std::vector<int64_t> sizes(params_.integer("projector_layers") + 1, dim);
    sizes.front() = towers().feature_dim();
    project_ = HeadPair(*this, "project", sizes, {.batch_norm = true, .output_batch_norm = true});
    predict_ = HeadPair(*this, "predict", {dim, params_.integer("predictor_dim"), dim},
                        {.batch_norm = true});
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const Pair z = project_.forward(gather(pooled(towers().forward(batch)), context.group));
    const Pair p = predict_.forward(z);
    return with_inputs(pure_loss,
                       {{"prediction_video", p.video},
                        {"projection_video", z.video.detach()},
                        {"prediction_audio", p.audio},
                        {"projection_audio", z.audio.detach()}},
                       params_);
  }

  Pair embed(const Features& features) override {
    const Pair z = project_.forward(pooled(features));
    return prediction_space(predict_.forward(z), z);
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
  HeadPair project_, predict_;
};

constexpr MethodPlugin kPlugin = {
    .name = "simsiam",
    .summary = "Each modality predicts the projection of the other, which gets no gradient",
    .paper =
        "Chen, He: Exploring Simple Siamese Representation Learning. CVPR 2021, arXiv:2011.10566",
    .params = kParams,
    .embeddings = kEmbeddings,
    .loss = pure_loss,
    .create = create<SimSiam>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
