// SimCLR between two towers: a video and its own audio attract, all else in the batch repels.
#include "avbench/losses.h"
#include "avbench/projected_pair.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("temperature", 0.1, 1e-3, 100, "temperature of the softmax over similarities"),
    integer("hidden_dim", 512, 1, 65536, "width of each projector's hidden layers"),
    integer("projector_dim", 128, 1, 65536, "output of each projector"),
    integer("projector_layers", 2, 1, 8, "layers of each projector"),
    flag("batch_norm", false, "batch norm after every layer of the projectors"),
};

// Mean over the 2B anchors. Eq. 1, arXiv:2002.05709.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  return {nt_xent(x.at("video"), x.at("audio"), params.number("temperature"))};
}

std::vector<int64_t> layers(const Params& params) {
  std::vector<int64_t> sizes(params.integer("projector_layers"), params.integer("hidden_dim"));
  sizes.back() = params.integer("projector_dim");
  return sizes;
}

class SimClr : public ProjectedPair {
 public:
  explicit SimClr(const MethodContext& context)
      : ProjectedPair(context, pure_loss, layers(context.params),
                      {.batch_norm = context.params.flag("batch_norm"),
                       .output_batch_norm = context.params.flag("batch_norm")}) {}
};

constexpr MethodPlugin kPlugin = {
    .name = "simclr",
    .summary = "Contrasts each video with its own audio against the rest of the batch (NT-Xent)",
    .paper =
        "Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of "
        "Visual Representations. ICML 2020, arXiv:2002.05709",
    .params = kParams,
    .embeddings = kProjections,
    .loss = pure_loss,
    .create = create<SimClr>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
