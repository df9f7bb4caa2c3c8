// IIC between two towers: each sample against banks of remembered samples, and against clips of its
// own frames whose order or motion is destroyed (intra-negatives).
#include <optional>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/memory_bank.h"
#include "avbench/plugin.h"
#include "avbench/sample_random.h"
#include "intra_negative.h"

namespace {

using namespace avbench;

constexpr ParamSpec kParams[] = {
    number("temperature", 0.07, 1e-3, 100, "temperature of the softmax over similarities"),
    integer("negatives", 1024, 1, 1 << 20, "random rows a sample from each bank"),
    number("momentum", 0.5, 0, 1, "momentum of a bank's row when its sample comes again"),
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
    {"audio", "B,D", true, "embedded audio"},
    {"bank_video", "B,K+1,D", false, "videos of the bank, the sample's own first", true},
    {"bank_audio", "B,K+1,D", false, "audio of the bank, the sample's own first", true},
    {"bank_negative", "B,K+1,D", false, "intra-negatives of the bank, the same samples", true},
};

// x [B, D] against rows [B, C, D] -> [B, C].
Tensor dots(const Tensor& x, const Tensor& rows) { return rows.matmul(x.unsqueeze(2)).squeeze(2); }

// The softmax form of the contrast: the other modality's own row against 2K + 1 others.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const auto contrast = [&](const char* anchor, const char* bank) {
    const Tensor rows = at::cat({x.at(bank), x.at("bank_negative")}, 1).detach();
    return cross_entropy_with_target_0(dots(x.at(anchor), rows), params.number("temperature"));
  };
  const Tensor video = contrast("video", "bank_audio"), audio = contrast("audio", "bank_video");
  return {video + audio, {{"video", video.detach()}, {"audio", audio.detach()}}};
}

class Iic : public Method {
 public:
  explicit Iic(const MethodContext& context) : Method(context) {
    if (context.train_size < 2) {
      usage_error("iic: got a training split of " + std::to_string(context.train_size) +
                  ", expected at least 2 samples: the bank's other rows are the negatives");
    }
    int64_t dim = towers().feature_dim();
    if (const int64_t projected = params_.integer("projector_dim"); projected > 0) {
      project_ = HeadPair(*this, "project", {dim, projected},
                          {.output_batch_norm = params_.flag("projector_batch_norm")});
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
    const Pair x = project(gather(pooled(towers().forward(batch)), context.group));
    const Tensor index = context.group.all_gather(batch.index);
    if (context.training) fresh_ = {index, x.detach(), negatives(batch, context)};
    const Tensor rows = bank_rows(index, context);
    return with_inputs(pure_loss,
                       {{"video", x.video},
                        {"audio", x.audio},
                        {"bank_video", bank_video_->rows(rows)},
                        {"bank_audio", bank_audio_->rows(rows)},
                        {"bank_negative", bank_negative_->rows(rows)}},
                       params_);
  }

  void after_step(const StepContext&) override {
    if (!fresh_) return;
    const double momentum = params_.number("momentum");
    bank_video_->update(fresh_->index, fresh_->own.video, momentum);
    bank_audio_->update(fresh_->index, fresh_->own.audio, momentum);
    bank_negative_->update(fresh_->index, fresh_->negative, momentum);
    fresh_.reset();
  }

  Pair embed(const Features& features) override { return project(pooled(features)); }

 private:
  // What the banks get after the step.
  struct Fresh {
    Tensor index;
    Pair own;
    Tensor negative;
  };

  Pair project(const Pair& features) {
    const Pair embedded = project_.forward(features);
    return params_.flag("unit_embeddings") ? l2_normalize(embedded) : embedded;
  }

  // [B, K+1]: the sample itself, then others, drawn with replacement.
  Tensor bank_rows(const Tensor& index, const StepContext& context) const {
    const Tensor own = index.unsqueeze(1);
    const Tensor others = sample_integers(context, index, "bank", params_.integer("negatives"),
                                          bank_video_->samples() - 1);
    return at::cat({own, others + others.ge(own)}, 1);
  }

  // The embedded intra-negatives of the batch; only the bank sees them.
  Tensor negatives(const Batch& batch, const StepContext& context) {
    const at::NoGradGuard no_grad;
    const Tensor clips = iic::intra_negatives(batch.video.at(kBaseView), params_.choice("negative"),
                                              batch.index, context);
    const Features features = towers().forward({{{kBaseView, clips}}, {}, batch.index});
    return project(gather(pooled(features), context.group)).video;
  }

  HeadPair project_;
  std::shared_ptr<MemoryBank> bank_video_, bank_audio_, bank_negative_;
  std::optional<Fresh> fresh_;  // from loss to after_step
};

constexpr MethodPlugin kPlugin = {
    .name = "iic",
    .summary = "Contrasts each sample with remembered samples and with clips of its own frames",
    .paper =
        "Tao, Wang, Yamasaki: Self-supervised Video Representation Learning Using Inter-intra "
        "Contrastive Framework. ACM Multimedia 2020, arXiv:2008.02531",
    .params = kParams,
    .embeddings = kEmbeddings,
    .loss = pure_loss,
    .create = create<Iic>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
