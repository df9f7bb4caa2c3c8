// MoCo between two towers: a query of one modality finds the key of the other among a queue of
// keys.
#include <optional>

#include "avbench/heads.h"
#include "avbench/key_queue.h"
#include "avbench/losses.h"
#include "avbench/momentum.h"
#include "avbench/plugin.h"
#include "split_batch.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("temperature", 0.2, 1e-3, 100, "temperature of the softmax over similarities"),
    number("momentum", 0.999, 0, 1, "momentum of the key encoders"),
    integer("queue_size", 4096, 1, 1 << 24, "number of keys in each modality's queue"),
    integer("hidden_dim", 512, 1, 65536, "width of each head's hidden layer"),
    integer("projector_dim", 128, 1, 65536, "output of each head"),
    integer("split_bn", 1, 1, 4096,
            "parts of the shuffled batch that the key encoder normalises apart; 1: the whole"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"query_video", "B,D", true, "q_v"},
    {"key_video", "B,D", false, "k_v of the key encoder", true},
    {"queue_video", "K,D", false, "video keys of earlier steps", true},
    {"query_audio", "B,D", true, "q_a"},
    {"key_audio", "B,D", false, "k_a of the key encoder", true},
    {"queue_audio", "K,D", false, "audio keys of earlier steps", true},
};

// Eq. 1, arXiv:1911.05722, in both directions.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const auto contrast = [&](const char* query, const char* key, const char* queue) {
    return info_nce(x.at(query), x.at(key).detach(), x.at(queue).detach(),
                    params.number("temperature"));
  };
  return {(contrast("query_video", "key_audio", "queue_audio") +
           contrast("query_audio", "key_video", "queue_video")) /
          2};
}

class Moco : public Method {
 public:
  explicit Moco(const MethodContext& context)
      : Method(context),
        project_(*this, "project",
                 {towers().feature_dim(), params_.integer("hidden_dim"),
                  params_.integer("projector_dim")}),
        key_(*this, "key", towers_, project_),
        queue_video_(make_queue("queue_video")),
        queue_audio_(make_queue("queue_audio")) {}

  // The keys of the batch enter the queues in after_step: no query meets its own key there.
  Loss loss(const Batch& batch, const StepContext& context) override {
    const Pair query = gather(embed(towers().forward(batch)), context.group);
    const Pair key = gather(keys(batch, context), context.group);
    if (context.training) remember(key);
    return with_inputs(pure_loss,
                       {{"query_video", query.video},
                        {"key_video", key.video},
                        {"queue_video", queue_video_->keys()},
                        {"query_audio", query.audio},
                        {"key_audio", key.audio},
                        {"queue_audio", queue_audio_->keys()}},
                       params_);
  }

  // Eq. 2, then the new keys.
  void after_step(const StepContext&) override {
    key_.follow(params_.number("momentum"));
    if (!fresh_) return;
    queue_video_->enqueue(fresh_->video);
    queue_audio_->enqueue(fresh_->audio);
    fresh_.reset();
  }

  Pair embed(const Features& features) override { return project_.forward(pooled(features)); }

 private:
  std::shared_ptr<KeyQueue> make_queue(const char* name) {
    return register_module(name, std::make_shared<KeyQueue>(params_.integer("queue_size"),
                                                            params_.integer("projector_dim")));
  }

  Pair keys(const Batch& batch, const StepContext& context) {
    const at::NoGradGuard no_grad;
    const auto encode = [this](const Batch& rows) {
      return l2_normalize(key_.heads().forward(pooled(key_.towers().forward(rows))));
    };
    const int64_t parts = context.training ? params_.integer("split_bn") : 1;
    return parts == 1 ? encode(batch) : moco::encode_in_parts(batch, context, parts, encode);
  }

  void remember(const Pair& key) {
    const int64_t batch = key.video.size(0), size = queue_video_->capacity();
    if (size < batch) {
      usage_error("moco: got queue_size " + std::to_string(size) + " for a batch of " +
                  std::to_string(batch) + ", expected at least " + std::to_string(batch) +
                  ": a step's keys would not fit; raise queue_size or lower "
                  "protocol.pretrain.batch_size");
    }
    fresh_ = key;
  }

  HeadPair project_;
  MomentumEncoder key_;
  std::shared_ptr<KeyQueue> queue_video_, queue_audio_;
  std::optional<Pair> fresh_;  // from loss to after_step
};

constexpr MethodPlugin kPlugin = {
    .name = "moco",
    .summary = "Contrasts each query with the other modality's key among a queue of earlier keys",
    .paper =
        "He, Fan, Wu, Xie, Girshick: Momentum Contrast for Unsupervised Visual Representation "
        "Learning. CVPR 2020, arXiv:1911.05722; Chen, Fan, Girshick, He: Improved Baselines with "
        "Momentum Contrastive Learning, arXiv:2003.04297",
    .params = kParams,
    .embeddings = kEmbeddings,
    .loss = pure_loss,
    .create = create<Moco>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
