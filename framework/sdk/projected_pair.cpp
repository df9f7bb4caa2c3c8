#include "avbench/projected_pair.h"

namespace avbench {
namespace {

std::vector<int64_t> sizes_of(int64_t features, std::vector<int64_t> layers) {
  layers.insert(layers.begin(), features);
  return layers;
}

}  // namespace

ProjectedPair::ProjectedPair(const MethodContext& context, PureLoss pure_loss,
                             const std::vector<int64_t>& layers, const MlpOptions& options)
    : Method(context),
      pure_loss_(pure_loss),
      project_(*this, "project", sizes_of(towers().feature_dim(), layers), options) {}

Loss ProjectedPair::loss(const Batch& batch, const StepContext& context) {
  const Pair x = project_.forward(gather(pooled(towers().forward(batch)), context.group));
  return with_inputs(pure_loss_, {{"video", x.video}, {"audio", x.audio}}, params_);
}

Pair ProjectedPair::embed(const Features& features) { return project_.forward(pooled(features)); }

}  // namespace avbench
