// Barlow Twins between two towers: the cross-correlation of video and audio becomes the identity.
#include "avbench/losses.h"
#include "avbench/projected_pair.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("lambda", 0.0051, 0, 1e6, "weight of the off-diagonal correlations"),
    number("scale", 1, 1e-9, 1e9, "factor on the whole loss"),
    integer("projector_dim", 2048, 1, 65536, "width of every layer of each projector"),
    integer("projector_layers", 2, 1, 8, "layers of each projector"),
    number("bias_lr_scale", 1, 0, 1000,
           "learning rate of biases and batch norms as a share of the weights'"),
};

// Eq. 1, arXiv:2103.03230.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const Tensor correlation = cross_correlation(x.at("video"), x.at("audio"));
  return {params.number("scale") * redundancy_reduction(correlation, params.number("lambda"))};
}

class BarlowTwins : public ProjectedPair {
 public:
  // No bias in the last layer: the standardisation in the loss would cancel it.
  explicit BarlowTwins(const MethodContext& context)
      : ProjectedPair(context, pure_loss,
                      std::vector<int64_t>(context.params.integer("projector_layers"),
                                           context.params.integer("projector_dim")),
                      {.batch_norm = true, .bias = false}) {}

  std::vector<ParamGroup> param_groups(Stage stage) override {
    if (stage == Stage::kFinetune) return Method::param_groups(stage);
    ParamGroup weights, biases{.lr_scale = params_.number("bias_lr_scale")};
    for (const Tensor& parameter : parameters()) {
      (parameter.dim() > 1 ? weights : biases).parameters.push_back(parameter);
    }
    return {weights, biases};
  }
};

constexpr MethodPlugin kPlugin = {
    .name = "barlow_twins",
    .summary = "Makes the cross-correlation of video and audio features the identity",
    .paper =
        "Zbontar, Jing, Misra, LeCun, Deny: Barlow Twins: Self-Supervised Learning via "
        "Redundancy Reduction. ICML 2021, arXiv:2103.03230",
    .params = kParams,
    .embeddings = kProjections,
    .loss = pure_loss,
    .create = create<BarlowTwins>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
