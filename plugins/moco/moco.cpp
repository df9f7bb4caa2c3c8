// MoCo between two towers: a query of one modality finds the key of the other among a queue of
// keys.
#include <optional>

#include "avbench/heads.h"
#include "avbench/key_queue.h"
#include "avbench/losses.h"
#include "avbench/momentum.h"
#include "avbench/plugin.h"
#include "avbench/sample_random.h"

namespace {

using namespace avbench;

using Pair = std::pair<Tensor, Tensor>;  // video, audio

constexpr ParamSpec kParams[] = {
    number("temperature", 0.2, 1e-3, 100, "of the softmax over similarities"),
    number("momentum", 0.999, 0, 1, "of the key encoders"),
    integer("queue_size", 4096, 1, 1 << 24, "keys of each modality's queue"),
    integer("hidden_dim", 512, 1, 65536, "hidden layer of each head"),
    integer("projector_dim", 128, 1, 65536, "output of each head"),
    integer("split_bn", 1, 1, 4096,
            "parts of the shuffled batch that the key encoder normalises apart; 1: the whole"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"query_video", "B,D", true, "q_v"},
    {"key_video", "B,D", false, "k_v of the key encoder", true},
    {"queue_video", "K,D", false, "keys of earlier videos", true},
    {"query_audio", "B,D", true, "q_a"},
    {"key_audio", "B,D", false, "k_a of the key encoder", true},
    {"queue_audio", "K,D", false, "keys of earlier sounds", true},
};

Views views(const Params&) { return base_views(); }

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
  explicit Moco(const MethodContext& context) : Method(context), params_(context.params) {
    const int64_t dim = params_.integer("projector_dim"), size = params_.integer("queue_size");
    const std::vector<int64_t> sizes = {towers().feature_dim(), params_.integer("hidden_dim"), dim};
    project_video_ = register_module("project_video", mlp(sizes));
    project_audio_ = register_module("project_audio", mlp(sizes));
    key_towers_ = register_module("key_towers", towers().momentum_copy());
    key_video_ = register_module("key_video", momentum_copy(project_video_));
    key_audio_ = register_module("key_audio", momentum_copy(project_audio_));
    queue_video_ = register_module("queue_video", std::make_shared<KeyQueue>(size, dim));
    queue_audio_ = register_module("queue_audio", std::make_shared<KeyQueue>(size, dim));
  }

  // The keys of the batch enter the queues in after_step: no query meets its own key there.
  Loss loss(const Batch& batch, const StepContext& context) override {
    const Pair query = gathered(embed(towers().forward(batch)), context);
    const Pair key = gathered(keys(batch, context), context);
    if (context.training) remember(key);
    return with_inputs(pure_loss,
                       {{"query_video", query.first},
                        {"key_video", key.first},
                        {"queue_video", queue_video_->keys()},
                        {"query_audio", query.second},
                        {"key_audio", key.second},
                        {"queue_audio", queue_audio_->keys()}},
                       params_);
  }

  // Eq. 2, then the new keys.
  void after_step(const StepContext&) override {
    const double momentum = params_.number("momentum");
    ema_update(*key_towers_, towers(), momentum);
    ema_update(*key_video_, *project_video_, momentum);
    ema_update(*key_audio_, *project_audio_, momentum);
    if (!fresh_) return;
    queue_video_->enqueue(fresh_->first);
    queue_audio_->enqueue(fresh_->second);
    fresh_.reset();
  }

  Pair embed(const Features& features) override {
    return {project_video_->forward(features.video.pooled),
            project_audio_->forward(features.audio.pooled)};
  }

 private:
  static Pair gathered(const Pair& x, const StepContext& context) {
    return {context.group.all_gather(x.first), context.group.all_gather(x.second)};
  }

  void remember(const Pair& key) {
    const int64_t batch = key.first.size(0), size = queue_video_->capacity();
    if (size < batch) {
      usage_error("moco: got queue_size " + std::to_string(size) + " for a batch of " +
                  std::to_string(batch) + ", expected at least " + std::to_string(batch) +
                  ": a step's keys would not fit; raise queue_size or lower "
                  "protocol.pretrain.batch_size");
    }
    fresh_ = key;
  }

  Pair keys(const Batch& batch, const StepContext& context) {
    const at::NoGradGuard no_grad;
    const int64_t parts = params_.integer("split_bn");
    if (parts == 1 || !context.training) return encoded(batch);
    return split(batch, context, parts);
  }

  Pair encoded(const Batch& batch) {
    const Features slow = key_towers_->forward(batch);
    return {unit(key_video_->forward(slow.video.pooled)),
            unit(key_audio_->forward(slow.audio.pooled))};
  }

  // In the place of ShuffleBN, section 3.3: a key's batch statistics are not its query's. Which
  // samples share a part is drawn by sample, whatever the batch's order.
  Pair split(const Batch& batch, const StepContext& context, int64_t parts) {
    const int64_t size = batch.index.size(0);
    if (parts > size) {
      usage_error("moco: got split_bn " + std::to_string(parts) + " for a batch of " +
                  std::to_string(size) + ", expected at most " + std::to_string(size));
    }
    const Tensor draws = sample_integers(context, batch.index, "split_bn", 1, INT64_MAX);
    const Tensor order = draws.squeeze(1).argsort();
    std::vector<Tensor> video, audio;
    for (const Tensor& rows : order.tensor_split(parts)) {
      const auto [v, a] = encoded(select_rows(batch, rows));
      video.push_back(v);
      audio.push_back(a);
    }
    const Tensor back = order.argsort();
    return {at::cat(video).index_select(0, back), at::cat(audio).index_select(0, back)};
  }

  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
  std::shared_ptr<Towers> key_towers_;
  torch::nn::Sequential key_video_{nullptr}, key_audio_{nullptr};
  std::shared_ptr<KeyQueue> queue_video_, queue_audio_;
  std::optional<Pair> fresh_;  // from loss to after_step
};

const MethodPlugin kPlugin = {
    .name = "moco",
    .summary = "Contrasts each query with the other modality's key among a queue of earlier keys",
    .paper =
        "He, Fan, Wu, Xie, Girshick: Momentum Contrast for Unsupervised Visual Representation "
        "Learning. CVPR 2020, arXiv:1911.05722; Chen, Fan, Girshick, He: Improved Baselines with "
        "Momentum Contrastive Learning, arXiv:2003.04297",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<Moco>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
