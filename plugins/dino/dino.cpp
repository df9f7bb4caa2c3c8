// DINO with two towers: students match what slow teachers say of another view, of the other
// modality or of the same, as distributions over prototypes.
#include <optional>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/momentum.h"
#include "avbench/plugin.h"
#include "mean_loss.h"
#include "options.h"
#include "prototypes.h"

namespace {

using namespace avbench;

constexpr const char* kSecondView = "second";

constexpr EmbeddingSpec kEmbeddings[] = {
    {"student_video", "B,D", true, "logits of the student"},
    {"teacher_video", "B,D", false, "the teacher's logits, centred, over its temperature"},
    {"student_audio", "B,D", true, "logits of the student"},
    {"teacher_audio", "B,D", false, "the teacher's logits, centred, over its temperature"},
};

Views views(const Params& params) {
  Views views = base_views();
  if (params.choice("pairs") != "across") {
    views.push_back({kSecondView, Modality::kVideo, ViewTime::kIndependent});
    views.push_back({kSecondView, Modality::kAudio, ViewTime::kIndependent});
  }
  return views;
}

// H(P_t, P_s), mean over the rows. Eq. 2, arXiv:2104.14294.
Tensor cross_entropy(const Tensor& teacher, const Tensor& student, double student_temperature) {
  TORCH_CHECK(teacher.dim() == 2 && teacher.sizes() == student.sizes(), "dino: got shapes ",
              teacher.sizes(), " and ", student.sizes(), ", expected [B, D] twice");
  const Tensor target = teacher.detach().softmax(1);
  return -(target * (student / student_temperature).log_softmax(1)).sum(1).mean();
}

Tensor entropy(const Tensor& teacher) {
  return -(teacher.softmax(1) * teacher.log_softmax(1)).sum(1).mean();
}

// Eq. 3 with the two modalities as the two views, averaged over the directions.
Loss pure_loss(const NamedTensors& x, const Params& params) {
  const double temperature = params.number("student_temperature");
  const Tensor video = cross_entropy(x.at("teacher_audio"), x.at("student_video"), temperature);
  const Tensor audio = cross_entropy(x.at("teacher_video"), x.at("student_audio"), temperature);
  return {(video + audio) / 2,
          {{"video", video.detach()},
           {"audio", audio.detach()},
           {"teacher_entropy_video", entropy(x.at("teacher_video").detach())},
           {"teacher_entropy_audio", entropy(x.at("teacher_audio").detach())}}};
}

class Dino : public Method {
 public:
  explicit Dino(const MethodContext& context)
      : Method(context), student_(make_heads()), teacher_(*this, "teacher", towers_, student_) {
    const int64_t outputs = params_.integer("prototypes");
    centre_ = {register_buffer("centre_video", at::zeros({outputs})),
               register_buffer("centre_audio", at::zeros({outputs}))};
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const std::string& pairs = params_.choice("pairs");
    const Logits base = logits(batch, kBaseView, context);
    if (pairs == "across") {
      remember(base.teacher, context);
      return with_inputs(pure_loss, across(base, context), params_);
    }
    const Logits second = logits(batch, kSecondView, context);
    remember({at::cat({base.teacher.video, second.teacher.video}),
              at::cat({base.teacher.audio, second.teacher.audio})},
             context);
    std::vector<Loss> losses = {pure_loss(within(base, second, context), params_),
                                pure_loss(within(second, base, context), params_)};
    if (pairs == "both") {
      losses.push_back(pure_loss(across(base, context), params_));
      losses.push_back(pure_loss(across(second, context), params_));
    }
    return dino::mean_of(losses);
  }

  // At first the prototypes stay where they are: their gradients are dropped.
  void after_backward(const StepContext& context) override {
    if (context.epoch >= params_.number("freeze_epochs")) return;
    for (const auto& head : {student_.video(), student_.audio()}) {
      dino::prototypes_of(head).mutable_grad().reset();
    }
  }

  // The teacher as in section 3.1, then the centre: Eq. 4.
  void after_step(const StepContext& context) override {
    teacher_.follow(cosine_momentum(params_.number("momentum"), context.step, context.total_steps));
    if (!seen_) return;
    centre_.video.lerp_(seen_->video, 1 - params_.number("centre_momentum"));
    centre_.audio.lerp_(seen_->audio, 1 - params_.number("centre_momentum"));
    seen_.reset();
  }

  // The student's distributions over the prototypes, which both modalities share.
  Pair embed(const Features& features) override {
    const double temperature = params_.number("student_temperature");
    return student_.forward(pooled(features)).map([&](const Tensor& logits) {
      return (logits / temperature).softmax(1);
    });
  }

  Towers& evaluation_towers() override {
    return params_.choice("evaluate") == "teacher" ? teacher_.towers() : towers();
  }

 private:
  HeadPair make_heads() {
    const int64_t hidden = params_.integer("hidden_dim"), count = params_.integer("prototypes");
    const std::vector<int64_t> sizes = {towers().feature_dim(), hidden, hidden,
                                        params_.integer("bottleneck_dim")};
    const torch::nn::Sequential video = dino::make_head(sizes, count);  // draws its weights first
    return HeadPair(*this, "student", video, dino::make_head(sizes, count));
  }

  // The logits of one view of both modalities.
  struct Logits {
    Pair student, teacher;
  };

  Logits logits(const Batch& batch, const char* view, const StepContext& context) {
    const Pair student =
        student_.forward(gather(pooled(towers().forward(batch, view)), context.group));
    const at::NoGradGuard no_grad;
    const Pair slow = gather(pooled(teacher_.towers().forward(batch, view)), context.group);
    return {student, teacher_.heads().forward(slow)};
  }

  // Keeps what the centre will be moved by.
  void remember(const Pair& teacher, const StepContext& context) {
    if (!context.training) return;
    seen_ = teacher.map([](const Tensor& logits) { return logits.mean(0); });
  }

  // What the pure loss takes: each student meets the teacher of the other modality.
  NamedTensors across(const Logits& x, const StepContext& context) const {
    const double temperature = dino::teacher_temperature(params_, context.epoch);
    return {{"student_video", x.student.video},
            {"teacher_video", (x.teacher.video - centre_.video) / temperature},
            {"student_audio", x.student.audio},
            {"teacher_audio", (x.teacher.audio - centre_.audio) / temperature}};
  }

  // The students of view x meet the teachers of their own modality on view y.
  NamedTensors within(const Logits& x, const Logits& y, const StepContext& context) const {
    NamedTensors tensors = across({x.student, y.teacher}, context);
    std::swap(tensors.at("teacher_video"), tensors.at("teacher_audio"));
    return tensors;
  }

  HeadPair student_;
  MomentumEncoder teacher_;
  Pair centre_;               // [prototypes] each
  std::optional<Pair> seen_;  // the batch's mean logits, from loss to after_step
};

constexpr MethodPlugin kPlugin = {
    .name = "dino",
    .summary = "Each modality's student matches a slow teacher's view of the other (distillation)",
    .paper =
        "Caron, Touvron, Misra, Jegou, Mairal, Bojanowski, Joulin: Emerging Properties in "
        "Self-Supervised Vision Transformers. ICCV 2021, arXiv:2104.14294",
    .params = dino::kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = create<Dino>,
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
