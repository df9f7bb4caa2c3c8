// VICReg between two towers: video and audio agree, every feature varies, no two features vary
// together.
#include "avbench/losses.h"
#include "avbench/projected_pair.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("invariance_weight", 25, 0, 1e6, "weight of the distance between video and audio"),
    number("variance_weight", 25, 0, 1e6, "weight of the hinge on each feature's deviation"),
    number("covariance_weight", 1, 0, 1e6, "weight of the covariances between features"),
    integer("projector_dim", 2048, 1, 65536, "width of every layer of each expander"),
    integer("projector_layers", 3, 1, 8, "layers of each expander"),
};

constexpr double kDeviation = 1;         // gamma, the deviation that each feature is to reach
constexpr double kVarianceFloor = 1e-4;  // epsilon of Eq. 2

// mean_j max(0, gamma - sqrt(var_j + epsilon)), unbiased. Eq. 1 and 2, arXiv:2105.04906.
Tensor variance_hinge(const Tensor& x) {
  const Tensor deviation = (x.var(0, /*unbiased=*/true) + kVarianceFloor).sqrt();
  return (kDeviation - deviation).clamp_min(0).mean();
}

// sum_{i != j} C_ij^2 / D, C over B - 1. Eq. 3 and 4.
Tensor covariance(const Tensor& x) {
  const Tensor centred = x - x.mean(0, /*keepdim=*/true);
  const Tensor squares = (centred.t().mm(centred) / (x.size(0) - 1)).square();
  return (squares.sum() - squares.diagonal().sum()) / x.size(1);
}

// Eq. 6, with the official code's mean over the features and half of each variance term.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const Tensor &video = x.at("video"), &audio = x.at("audio");
  check_pair("vicreg", video, audio);
  const Tensor invariance = (video - audio).square().mean();
  const Tensor variance = (variance_hinge(video) + variance_hinge(audio)) / 2;
  const Tensor correlation = covariance(video) + covariance(audio);
  return {params.number("invariance_weight") * invariance +
              params.number("variance_weight") * variance +
              params.number("covariance_weight") * correlation,
          {{"invariance", invariance.detach()},
           {"variance", variance.detach()},
           {"covariance", correlation.detach()}}};
}

class VicReg : public ProjectedPair {
 public:
  explicit VicReg(const MethodContext& context)
      : ProjectedPair(context, pure_loss,
                      std::vector<int64_t>(context.params.integer("projector_layers"),
                                           context.params.integer("projector_dim")),
                      {.batch_norm = true, .bias = false}) {}
};

constexpr MethodPlugin kPlugin = {
    .name = "vicreg",
    .summary = "Draws video and audio together while features keep varying, each by itself",
    .paper =
        "Bardes, Ponce, LeCun: VICReg: Variance-Invariance-Covariance Regularization for "
        "Self-Supervised Learning. ICLR 2022, arXiv:2105.04906",
    .params = kParams,
    .embeddings = kProjections,
    .loss = pure_loss,
    .create = create<VicReg>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
