// IIC between two towers: each sample against banks of remembered samples, and against clips of its
// own frames whose order or motion is destroyed (intra-negatives).
#include <algorithm>
#include <optional>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/memory_bank.h"
#include "avbench/plugin.h"
#include "avbench/sample_random.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("temperature", 0.07, 1e-3, 100, "of the softmax over similarities"),
    integer("negatives", 1024, 1, 1 << 20, "random rows a sample from each bank"),
    number("momentum", 0.5, 0, 1, "of a bank's row when its sample comes again"),
    choice("negative", "repeat", "repeat|shuffle",
           "intra-negative: one random frame throughout, or two of four chunks swapped"),
    integer("projector_dim", 128, 0, 65536,
            "output of each modality's linear head; 0: the towers' outputs"),
    flag("projector_batch_norm", true, "a batch norm without scale and shift at the head's end"),
    flag("unit_embeddings", true,
         "embeddings of norm 1 meet the banks; false: as they are, as in the official code"),
};

constexpr EmbeddingSpec kEmbeddings[] = {
    {"video", "B,D", true, "embedded videos"},
    {"audio", "B,D", true, "embedded sounds"},
    {"bank_video", "B,K+1,D", false, "videos of the bank, the sample's own first", true},
    {"bank_audio", "B,K+1,D", false, "sounds of the bank, the sample's own first", true},
    {"bank_negative", "B,K+1,D", false, "intra-negatives of the bank, the same samples", true},
};

Views views(const Params&) { return base_views(); }

// x [B, D] against rows [B, C, D] -> [B, C].
Tensor dots(const Tensor& x, const Tensor& rows) { return rows.matmul(x.unsqueeze(2)).squeeze(2); }

// The softmax form of the contrast: the other modality's own row against 2K + 1 others.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const auto contrast = [&](const char* anchor, const char* bank) {
    const Tensor rows = at::cat({x.at(bank), x.at("bank_negative")}, 1).detach();
    return first_column_entropy(dots(x.at(anchor), rows), params.number("temperature"));
  };
  const Tensor video = contrast("video", "bank_audio"), audio = contrast("audio", "bank_video");
  return {video + audio, {{"video", video.detach()}, {"audio", audio.detach()}}};
}

// Frames of each sample's intra-negative, [B, T].
Tensor repeated_frames(const StepContext& context, const Tensor& index, int64_t frames) {
  return sample_integers(context, index, "repeat", 1, frames).expand({-1, frames});
}

// Four chunks (fewer if there are fewer frames), two different ones swapped.
Tensor shuffled_frames(const StepContext& context, const Tensor& index, int64_t frames) {
  const int64_t chunks = std::min<int64_t>(4, frames);
  const Tensor first = sample_integers(context, index, "first chunk", 1, chunks).cpu();
  const Tensor step = sample_integers(context, index, "second chunk", 1, chunks - 1).cpu();
  std::vector<Tensor> rows;
  for (int64_t i = 0; i < index.size(0); ++i) {
    std::vector<Tensor> pieces = at::arange(frames).tensor_split(chunks);
    const int64_t a = first.data_ptr<int64_t>()[i];
    std::swap(pieces[a], pieces[(a + 1 + step.data_ptr<int64_t>()[i]) % chunks]);
    rows.push_back(at::cat(pieces));
  }
  return at::stack(rows).to(index.device());
}

class Iic : public Method {
 public:
  explicit Iic(const MethodContext& context) : Method(context), params_(context.params) {
    if (context.train_size < 2) {
      usage_error("iic: got a training split of " + std::to_string(context.train_size) +
                  ", expected at least 2 samples: the bank's other rows are the negatives");
    }
    int64_t dim = towers().feature_dim();
    if (const int64_t projected = params_.integer("projector_dim"); projected > 0) {
      const MlpOptions options{.output_batch_norm = params_.flag("projector_batch_norm")};
      project_video_ = register_module("project_video", mlp({dim, projected}, options));
      project_audio_ = register_module("project_audio", mlp({dim, projected}, options));
      dim = projected;
    }
    const auto bank = [&](const char* name) {
      return register_module(name, std::make_shared<MemoryBank>(context.train_size, dim));
    };
    bank_video_ = bank("bank_video");
    bank_audio_ = bank("bank_audio");
    bank_negative_ = bank("bank_negative");
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const auto [video, audio] = embed(gather_pooled(towers().forward(batch), context.group));
    const Fresh all = {context.group.all_gather(batch.index), video, audio};
    if (context.training) {
      fresh_ = {all.index, all.video.detach(), all.audio.detach(), intra_negatives(batch, context)};
    }
    const Tensor chosen = bank_rows(all.index, context);
    return with_inputs(pure_loss,
                       {{"video", all.video},
                        {"audio", all.audio},
                        {"bank_video", bank_video_->rows(chosen)},
                        {"bank_audio", bank_audio_->rows(chosen)},
                        {"bank_negative", bank_negative_->rows(chosen)}},
                       params_);
  }

  void after_step(const StepContext&) override {
    if (!fresh_) return;
    const double momentum = params_.number("momentum");
    bank_video_->update(fresh_->index, fresh_->video, momentum);
    bank_audio_->update(fresh_->index, fresh_->audio, momentum);
    bank_negative_->update(fresh_->index, fresh_->negative, momentum);
    fresh_.reset();
  }

  std::pair<Tensor, Tensor> embed(const Features& features) override {
    return {project(project_video_, features.video.pooled),
            project(project_audio_, features.audio.pooled)};
  }

 private:
  struct Fresh {
    Tensor index, video, audio, negative;
  };

  Tensor project(torch::nn::Sequential& head, const Tensor& pooled) const {
    const Tensor embedded = head ? head->forward(pooled) : pooled;
    return params_.flag("unit_embeddings") ? unit(embedded) : embedded;
  }

  // [B, K+1]: the sample itself, then others, drawn with replacement.
  Tensor bank_rows(const Tensor& index, const StepContext& context) const {
    const Tensor own = index.unsqueeze(1);
    const Tensor others = sample_integers(context, index, "bank", params_.integer("negatives"),
                                          bank_video_->samples() - 1);
    return at::cat({own, others + others.ge(own)}, 1);
  }

  // Embeds clips made of the frames at hand; only the bank sees them.
  Tensor intra_negatives(const Batch& batch, const StepContext& context) {
    const at::NoGradGuard no_grad;
    const Tensor& clip = batch.video.at(kBaseView);
    TORCH_CHECK(clip.dim() == 5, "iic: got clips of shape ", clip.sizes(),
                ", expected [B, C, T, H, W]");
    const int64_t frames = clip.size(2);
    if (frames < 2) {
      usage_error(
          "iic: got clips of 1 frame, expected at least 2: an intra-negative of one frame "
          "is the clip itself; raise protocol.clip.frames");
    }
    const Tensor order = params_.choice("negative") == "repeat"
                             ? repeated_frames(context, batch.index, frames)
                             : shuffled_frames(context, batch.index, frames);
    const Tensor negative = at::empty_like(clip);
    for (int64_t i = 0; i < clip.size(0); ++i) {
      negative[i].copy_(clip[i].index_select(1, order[i]));
    }
    const Features features = towers().forward({{{kBaseView, negative}}, {}, batch.index});
    return project(project_video_, context.group.all_gather(features.video.pooled));
  }

  Params params_;
  torch::nn::Sequential project_video_{nullptr}, project_audio_{nullptr};
  std::shared_ptr<MemoryBank> bank_video_, bank_audio_, bank_negative_;
  std::optional<Fresh> fresh_;  // from loss to after_step
};

const MethodPlugin kPlugin = {
    .name = "iic",
    .summary = "Contrasts each sample with remembered samples and with clips of its own frames",
    .paper =
        "Tao, Wang, Yamasaki: Self-supervised Video Representation Learning Using Inter-intra "
        "Contrastive Framework. ACM Multimedia 2020, arXiv:2008.02531",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<Iic>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
