// DINO with two towers: students match what slow teachers say of another view, of the other
// modality or of the same, as distributions over prototypes.
#include <algorithm>
#include <cmath>
#include <optional>

#include "avbench/heads.h"
#include "avbench/losses.h"
#include "avbench/momentum.h"
#include "avbench/plugin.h"

namespace {

using namespace avbench;

using Pair = std::pair<Tensor, Tensor>;  // video, audio

constexpr const char* kSecondView = "second";

constexpr ParamSpec kParams[] = {
    choice("pairs", "across", "across|within|both",
           "a student's teacher sees the other modality, another clip and crop of the same "
           "modality, or both"),
    number("student_temperature", 0.1, 1e-3, 100, "of the student's softmax"),
    number("teacher_temperature", 0.04, 1e-3, 100, "of the teacher's softmax, after its warm-up"),
    number("warmup_teacher_temperature", 0.04, 1e-3, 100, "of the teacher's softmax at first"),
    number("warmup_teacher_epochs", 0, 0, 100000, "epochs from the first temperature to the last"),
    number("momentum", 0.996, 0, 1, "of the teacher at first, raised to 1 along a half cosine"),
    number("centre_momentum", 0.9, 0, 1, "of the centre that is taken from the teacher's logits"),
    number("freeze_epochs", 1, 0, 100000, "epochs in which the student's prototypes stay"),
    integer("hidden_dim", 2048, 1, 65536, "two hidden layers of each head"),
    integer("bottleneck_dim", 256, 1, 65536, "what each head compares with its prototypes"),
    integer("prototypes", 4096, 2, 1 << 20, "outputs of each head"),
    choice("evaluate", "teacher", "teacher|student", "the towers that finetuning starts from"),
};

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

// The last layer: cosines of normalised rows and normalised weights, [B, bottleneck] ->
// [B, prototypes]. It is weight normalisation with its gain fixed at 1.
class Prototypes : public torch::nn::Cloneable<Prototypes> {
 public:
  Prototypes(int64_t dim, int64_t count) : dim_(dim), count_(count) { reset(); }

  void reset() override {
    const double bound = 1 / std::sqrt(static_cast<double>(dim_));
    weight_ = register_parameter("weight", at::empty({count_, dim_}).uniform_(-bound, bound));
  }

  Tensor forward(const Tensor& rows) { return unit(rows).mm(unit(weight_).t()); }

  Tensor& weight() { return weight_; }

 private:
  int64_t dim_, count_;
  Tensor weight_;
};

class Dino : public Method {
 public:
  explicit Dino(const MethodContext& context) : Method(context), params_(context.params) {
    student_video_ = register_module("student_video", make_head(prototypes_video_));
    student_audio_ = register_module("student_audio", make_head(prototypes_audio_));
    teacher_towers_ = register_module("teacher_towers", towers().momentum_copy());
    teacher_video_ = register_module("teacher_video", momentum_copy(student_video_));
    teacher_audio_ = register_module("teacher_audio", momentum_copy(student_audio_));
    const int64_t outputs = params_.integer("prototypes");
    centre_video_ = register_buffer("centre_video", at::zeros({outputs}));
    centre_audio_ = register_buffer("centre_audio", at::zeros({outputs}));
  }

  Loss loss(const Batch& batch, const StepContext& context) override {
    const std::string& pairs = params_.choice("pairs");
    const Logits base = logits(batch, kBaseView, context);
    if (pairs == "across") {
      see(base.teacher, context);
      return with_inputs(pure_loss, across(base, context), params_);
    }
    const Logits second = logits(batch, kSecondView, context);
    see({at::cat({base.teacher.first, second.teacher.first}),
         at::cat({base.teacher.second, second.teacher.second})},
        context);
    std::vector<Loss> losses = {pure_loss(within(base, second, context), params_),
                                pure_loss(within(second, base, context), params_)};
    if (pairs == "both") {
      losses.push_back(pure_loss(across(base, context), params_));
      losses.push_back(pure_loss(across(second, context), params_));
    }
    return mean_of(losses);
  }

  // At first the prototypes stay where they are: their gradients are dropped.
  void after_backward(const StepContext& context) override {
    if (context.epoch >= params_.number("freeze_epochs")) return;
    prototypes_video_->weight().mutable_grad().reset();
    prototypes_audio_->weight().mutable_grad().reset();
  }

  // The teacher as in section 3.1, then the centre: Eq. 4.
  void after_step(const StepContext& context) override {
    const double momentum =
        cosine_momentum(params_.number("momentum"), context.step, context.total_steps);
    ema_update(*teacher_towers_, towers(), momentum);
    ema_update(*teacher_video_, *student_video_, momentum);
    ema_update(*teacher_audio_, *student_audio_, momentum);
    if (!seen_) return;
    centre_video_.lerp_(seen_->first, 1 - params_.number("centre_momentum"));
    centre_audio_.lerp_(seen_->second, 1 - params_.number("centre_momentum"));
    seen_.reset();
  }

  // The student's distributions over the prototypes, which both modalities share.
  Pair embed(const Features& features) override {
    const double temperature = params_.number("student_temperature");
    const auto distribution = [&](torch::nn::Sequential& head, const Tensor& pooled) {
      return (head->forward(pooled) / temperature).softmax(1);
    };
    return {distribution(student_video_, features.video.pooled),
            distribution(student_audio_, features.audio.pooled)};
  }

  Towers& evaluation_towers() override {
    return params_.choice("evaluate") == "teacher" ? *teacher_towers_ : towers();
  }

 private:
  torch::nn::Sequential make_head(std::shared_ptr<Prototypes>& prototypes) {
    const int64_t hidden = params_.integer("hidden_dim"), dim = params_.integer("bottleneck_dim");
    torch::nn::Sequential head = mlp({towers().feature_dim(), hidden, hidden, dim});
    prototypes = std::make_shared<Prototypes>(dim, params_.integer("prototypes"));
    head->push_back(prototypes);
    return head;
  }

  // Of one view of both modalities.
  struct Logits {
    Pair student, teacher;
  };

  Logits logits(const Batch& batch, const char* view, const StepContext& context) {
    const Features features = gather_pooled(towers().forward(batch, view), context.group);
    const Pair student = {student_video_->forward(features.video.pooled),
                          student_audio_->forward(features.audio.pooled)};
    const at::NoGradGuard no_grad;
    const Features slow = gather_pooled(teacher_towers_->forward(batch, view), context.group);
    return {
        student,
        {teacher_video_->forward(slow.video.pooled), teacher_audio_->forward(slow.audio.pooled)}};
  }

  // Remembers what the centre will be moved by.
  void see(const Pair& teacher, const StepContext& context) {
    if (context.training) seen_ = {teacher.first.mean(0), teacher.second.mean(0)};
  }

  // What the pure loss takes: each student meets the teacher of the other modality.
  NamedTensors across(const Logits& x, const StepContext& context) const {
    const double temperature = teacher_temperature(context.epoch);
    return {{"student_video", x.student.first},
            {"teacher_video", (x.teacher.first - centre_video_) / temperature},
            {"student_audio", x.student.second},
            {"teacher_audio", (x.teacher.second - centre_audio_) / temperature}};
  }

  // The students of view x meet the teachers of their own modality on view y.
  NamedTensors within(const Logits& x, const Logits& y, const StepContext& context) const {
    NamedTensors tensors = across({x.student, y.teacher}, context);
    std::swap(tensors.at("teacher_video"), tensors.at("teacher_audio"));
    return tensors;
  }

  static Loss mean_of(const std::vector<Loss>& losses) {
    const auto count = static_cast<double>(losses.size());
    Loss mean = losses.front();
    for (size_t i = 1; i < losses.size(); ++i) {
      mean.total = mean.total + losses[i].total;
      for (size_t p = 0; p < mean.parts.size(); ++p) {
        mean.parts[p].second = mean.parts[p].second + losses[i].parts[p].second;
      }
    }
    mean.total = mean.total / count;
    for (auto& [name, part] : mean.parts) part = part / count;
    mean.inputs.clear();
    return mean;
  }

  double teacher_temperature(double epoch) const {
    const double first = params_.number("warmup_teacher_temperature");
    const double last = params_.number("teacher_temperature");
    const double epochs = params_.number("warmup_teacher_epochs");
    return epochs == 0 ? last : std::lerp(first, last, std::min(epoch / epochs, 1.0));
  }

  Params params_;
  std::shared_ptr<Prototypes> prototypes_video_, prototypes_audio_;  // of the student's heads
  torch::nn::Sequential student_video_{nullptr}, student_audio_{nullptr};
  std::shared_ptr<Towers> teacher_towers_;
  torch::nn::Sequential teacher_video_{nullptr}, teacher_audio_{nullptr};
  Tensor centre_video_, centre_audio_;
  std::optional<Pair> seen_;  // the batch's mean logits, from loss to after_step
};

const MethodPlugin kPlugin = {
    .name = "dino",
    .summary = "Each modality's student matches a slow teacher's view of the other (distillation)",
    .paper =
        "Caron, Touvron, Misra, Jegou, Mairal, Bojanowski, Joulin: Emerging Properties in "
        "Self-Supervised Vision Transformers. ICCV 2021, arXiv:2104.14294",
    .params = kParams,
    .embeddings = kEmbeddings,
    .views = views,
    .loss = pure_loss,
    .create = [](const MethodContext& context) -> std::shared_ptr<Method> {
      return std::make_shared<Dino>(context);
    },
};

}  // namespace

AVBENCH_PLUGIN(kPlugin)
