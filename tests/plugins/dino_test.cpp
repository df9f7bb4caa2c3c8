#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::AllOf;
using testing::Each;
using testing::StartsWith;

const Settings kSmall = {
    {"hidden_dim", "10"}, {"bottleneck_dim", "6"}, {"prototypes", "7"}, {"freeze_epochs", "0"}};

Settings with(Settings settings, const std::string& name, const std::string& text) {
  settings[name] = text;
  return settings;
}

// Logits whose teacher's side is centred at zero and divided by its temperature.
NamedTensors logits(const Tensor& video, const Tensor& audio, double teacher_temperature) {
  return {{"student_video", video},
          {"teacher_video", video.detach() / teacher_temperature},
          {"student_audio", audio},
          {"teacher_audio", audio.detach() / teacher_temperature}};
}

// lightly and solo-learn at the golden inputs, with teacher temperature 0.04 and no centre.
TEST(Dino, MatchesPublishedLossAndGradients) {
  const Tensor z1 = golden_z1().requires_grad_(), z2 = golden_z2().requires_grad_();
  const Tensor total =
      pure_loss("dino", logits(z1, z2, 0.04), {{"student_temperature", "0.1"}}).total;
  EXPECT_NEAR(total.item<double>(), 4.8543001476, 1e-9);
  total.backward();
  EXPECT_NEAR(z1.grad().abs().sum().item<double>(), 7.1275906638, 1e-9);
  EXPECT_NEAR(z2.grad().abs().sum().item<double>(), 6.6763428987, 1e-9);
}

std::vector<double> naive_softmax(const std::vector<double>& row, double temperature) {
  std::vector<double> result;
  double sum = 0;
  for (const double x : row) sum += std::exp(x / temperature);
  for (const double x : row) result.push_back(std::exp(x / temperature) / sum);
  return result;
}

double naive_cross_entropy(const Matrix& teacher, const Matrix& student, double temperature) {
  double sum = 0;
  for (size_t i = 0; i < teacher.size(); ++i) {
    const auto target = naive_softmax(teacher[i], 1), got = naive_softmax(student[i], temperature);
    for (size_t k = 0; k < target.size(); ++k) {
      sum -= target[k] * std::log(got[k]) / static_cast<double>(teacher.size());
    }
  }
  return sum;
}

TEST(Dino, EqualsTheFormulaWrittenAsLoops) {
  const Tensor s_v = golden_z1(), s_a = golden_z2(), t_v = 3 * golden_z2() + 1,
               t_a = -2 * golden_z1();
  const NamedTensors x = {{"student_video", s_v},
                          {"teacher_video", t_v},
                          {"student_audio", s_a},
                          {"teacher_audio", t_a}};
  const Loss loss = pure_loss("dino", x, {{"student_temperature", "0.3"}});
  const double video = naive_cross_entropy(to_matrix(t_a), to_matrix(s_v), 0.3);
  const double audio = naive_cross_entropy(to_matrix(t_v), to_matrix(s_a), 0.3);
  EXPECT_NEAR(part(loss, "video"), video, 1e-12);
  EXPECT_NEAR(part(loss, "audio"), audio, 1e-12);
  EXPECT_NEAR(loss.total.item<double>(), (video + audio) / 2, 1e-12);
  EXPECT_NEAR(part(loss, "teacher_entropy_audio"),
              naive_cross_entropy(to_matrix(t_a), to_matrix(t_a), 1), 1e-12);
}

// Students at (ln 3, 0), a teacher that is sure of prototype 0 and one that knows nothing: the
// cross-entropies are -ln(3/4), and -(ln(3/4) + ln(1/4)) / 2.
TEST(Dino, MatchesTwoPrototypesByHand) {
  const Tensor student = to_tensor({{std::log(3.0), 0}});
  const NamedTensors x = {{"student_video", student},
                          {"teacher_audio", to_tensor({{1000, 0}})},
                          {"student_audio", student},
                          {"teacher_video", to_tensor({{5, 5}})}};
  const Loss loss = pure_loss("dino", x, {{"student_temperature", "1"}});
  EXPECT_NEAR(part(loss, "video"), -std::log(0.75), 1e-14);
  EXPECT_NEAR(part(loss, "audio"), -std::log(0.1875) / 2, 1e-14);
  EXPECT_NEAR(part(loss, "teacher_entropy_audio"), 0, 1e-14);
  EXPECT_NEAR(part(loss, "teacher_entropy_video"), std::log(2.0), 1e-14);
}

TEST(Dino, StopsTheGradientOfTheTeacher) {
  expect_property("gradient_matches_finite_differences", "dino");
}

TEST(Dino, IsFiniteOnZeroRowsAndExtremeLogits) {
  for (const double size : {0.0, 1e4}) {
    const Tensor z = (size * golden_z1()).requires_grad_();
    const Tensor total = pure_loss("dino", logits(z, size * golden_z2(), 0.001), {}).total;
    total.backward();
    EXPECT_TRUE(std::isfinite(total.item<double>()));
    EXPECT_TRUE(at::isfinite(z.grad()).all().item<bool>());
  }
}

TEST(Dino, IsAProperMethod) {
  expect_gradients_everywhere("dino", kSmall);
  expect_a_proper_method(
      "dino", with(with(kSmall, "teacher_temperature", "0.07"), "warmup_teacher_epochs", "2"));
}

TEST(Dino, TrainsEverythingButTheTeacher) {
  const auto names = untrained_parameters(*bent_method("dino", kSmall));
  EXPECT_THAT(names, AllOf(testing::SizeIs(4 + 2 * 7), Each(StartsWith("teacher_"))));
}

TEST(Dino, BeginsWithATeacherEqualToTheStudent) {
  const auto parameters = bent_method("dino", kSmall)->named_parameters();
  for (const auto& [teacher, student] :
       {std::pair{"teacher_towers.audio.bias", "towers.audio.bias"},
        {"teacher_video.0.weight", "student_video.0.weight"},
        {"teacher_audio.5.weight", "student_audio.5.weight"}}) {
    EXPECT_TRUE(parameters[teacher].equal(parameters[student])) << teacher;
    EXPECT_FALSE(parameters[teacher].is_same(parameters[student])) << teacher;
  }
  EXPECT_FALSE(parameters["student_video.5.weight"].equal(parameters["student_audio.5.weight"]));
}

// Logits are cosines of the bottleneck with the prototypes, whatever the length of either.
TEST(DinoHead, ComparesNormalisedRowsWithNormalisedPrototypes) {
  const auto method = bent_method("dino", kSmall);
  const Batch batch = batch_of_step(0);
  const auto parameters = method->named_parameters();
  const auto layer = [&](const Tensor& x, const std::string& name) {
    return x.mm(parameters["student_video." + name + ".weight"].t()) +
           parameters["student_video." + name + ".bias"];
  };
  const Tensor pooled = method->towers().forward(batch).video.pooled;
  const Matrix rows = to_matrix(layer(layer(layer(pooled, "0").relu(), "2").relu(), "4"));
  const Matrix prototypes = to_matrix(parameters["student_video.5.weight"]);
  const Matrix got = to_matrix(loss_of(*method, batch).inputs.at("student_video"));
  ASSERT_EQ(prototypes.size(), 7u);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t k = 0; k < prototypes.size(); ++k) {
      EXPECT_NEAR(got[i][k], naive_cosine(rows[i], prototypes[k]), 1e-6);
    }
  }
  const at::NoGradGuard no_grad;
  Tensor(parameters["student_video.5.weight"]).mul_(3);
  EXPECT_TRUE(at::allclose(loss_of(*method, batch).inputs.at("student_video"),
                           to_tensor(got).to(at::kFloat), 1e-5, 1e-6));
}

// The mean of the teacher's logits of the steps before, weighted by 0.9; a modality each.
TEST(Dino, SubtractsTheMovingCentreOfTheTeachersLogits) {
  const auto method = bent_method("dino", kSmall);
  const auto buffers = method->named_buffers();
  Tensor expected = at::zeros({7});
  for (int64_t step = 0; step < 3; ++step) {
    const Tensor& centre = buffers["centre_audio"];
    EXPECT_TRUE(at::allclose(centre, expected, 1e-5, 1e-6));
    const Tensor before = centre.clone();
    const Loss loss = method->loss(batch_of_step(step), step_context(step));
    EXPECT_TRUE(centre.equal(before)) << "moved before the step";
    const Tensor raw = loss.inputs.at("teacher_audio") * 0.04 + before;
    EXPECT_LE(raw.abs().max().item<double>(), 1.0001);  // cosines
    expected = 0.9 * expected + 0.1 * raw.mean(0);
    method->after_step(step_context(step));
  }
  EXPECT_FALSE(buffers["centre_audio"].equal(buffers["centre_video"]));
}

TEST(Dino, KeepsAnEvaluationOutOfTheCentre) {
  const auto method = bent_method("dino", kSmall);
  train_step(*method, 0);
  const Tensor before = method->named_buffers()["centre_video"].clone();
  EXPECT_GT(before.abs().sum().item<double>(), 0);
  method->eval();
  method->loss(batch_of_step(1), step_context(1, /*training=*/false));
  method->after_step(step_context(1));
  EXPECT_TRUE(method->named_buffers()["centre_video"].equal(before));
}

// A batch with a second view of both modalities, whose rows differ from the first view's.
Batch two_views() {
  Batch batch = batch_of_step(0);
  const Batch other = batch_of_step(1);
  batch.video["second"] = other.video.at(kBaseView);
  batch.audio["second"] = other.audio.at(kBaseView);
  return batch;
}

// The four tensors of one view, by a method that sees the modalities across.
NamedTensors logits_of(const Batch& batch, const char* view) {
  Batch alone = batch;
  for (auto* views : {&alone.video, &alone.audio}) *views = {{kBaseView, views->at(view)}};
  return loss_of(*bent_method("dino", kSmall), alone).inputs;
}

// H(teacher of the view that the student did not see, student), by modality and order.
TEST(Dino, MatchesTheOtherViewOfTheSameModalityIfAsked) {
  const Batch batch = two_views();
  const NamedTensors first = logits_of(batch, kBaseView), second = logits_of(batch, "second");
  const auto h = [](const Tensor& teacher, const Tensor& student) {
    return -(teacher.softmax(1) * (student / 0.1).log_softmax(1)).sum(1).mean().item<double>();
  };
  double within = 0, across = 0;
  for (const std::string modality : {"video", "audio"}) {
    const std::string other = modality == "video" ? "audio" : "video";
    within += h(second.at("teacher_" + modality), first.at("student_" + modality)) / 4;
    within += h(first.at("teacher_" + modality), second.at("student_" + modality)) / 4;
    for (const NamedTensors* view : {&first, &second}) {
      across += h(view->at("teacher_" + other), view->at("student_" + modality)) / 4;
    }
  }
  const auto total = [&](const char* pairs) {
    const auto method = bent_method("dino", with(kSmall, "pairs", pairs));
    const Loss loss = loss_of(*method, batch);
    EXPECT_TRUE(loss.inputs.empty());
    EXPECT_NEAR((part(loss, "video") + part(loss, "audio")) / 2, loss.total.item<double>(), 1e-5);
    return loss.total.item<double>();
  };
  EXPECT_NEAR(total("within"), within, 1e-5);
  EXPECT_NEAR(total("both"), (within + across) / 2, 1e-5);
}

TEST(Dino, AsksForASecondViewOnlyWhereItIsUsed) {
  const MethodPlugin& plugin = plugin_named("dino");
  EXPECT_EQ(plugin.views(params_of(plugin, {})).size(), 2u);
  const Views views = plugin.views(params_of(plugin, {{"pairs", "within"}}));
  ASSERT_EQ(views.size(), 4u);
  for (size_t i = 2; i < 4; ++i) EXPECT_EQ(views[i].time, ViewTime::kIndependent);
}

// From 0.04 to 0.08 within two epochs: 0.04, 0.05, 0.06, 0.08, 0.08.
TEST(Dino, RaisesTheTeachersTemperatureAlongALine) {
  const Settings settings =
      with(with(kSmall, "teacher_temperature", "0.08"), "warmup_teacher_epochs", "2");
  const auto method = bent_method("dino", settings);
  const Batch batch = batch_of_step(0);
  const auto teacher = [&](double epoch) {
    StepContext context = step_context();
    context.epoch = epoch;
    return method->loss(batch, context).inputs.at("teacher_video");
  };
  const Tensor logits = teacher(0) * 0.04;
  for (const auto& [epoch, temperature] :
       {std::pair{0.5, 0.05}, {1.0, 0.06}, {2.0, 0.08}, {7.0, 0.08}}) {
    EXPECT_TRUE(at::allclose(teacher(epoch), logits / temperature, 1e-5, 1e-5)) << epoch;
  }
}

// Step 4 of 10 from 0.9: 1 - 0.1 * (cos(0.4 pi) + 1) / 2.
TEST(Dino, MovesTheTeacherByTheScheduledMomentum) {
  const double momentum = 1 - 0.1 * (std::cos(0.4 * M_PI) + 1) / 2;
  const auto method = bent_method("dino", with(kSmall, "momentum", "0.9"));
  const auto parameters = method->named_parameters();
  for (const auto& [teacher, student] :
       {std::pair{"teacher_towers.video.weight", "towers.video.weight"},
        {"teacher_video.4.bias", "student_video.4.bias"},
        {"teacher_audio.5.weight", "student_audio.5.weight"}}) {
    const at::NoGradGuard no_grad;
    parameters[student].add_(1);
    const Tensor expected = momentum * parameters[teacher] + (1 - momentum) * parameters[student];
    method->after_step(step_context(4));
    EXPECT_TRUE(at::allclose(parameters[teacher], expected)) << teacher;
    parameters[teacher].copy_(parameters[student]);
  }
}

TEST(Dino, FreezesThePrototypesInTheFirstEpochs) {
  const auto method = bent_method("dino", with(kSmall, "freeze_epochs", "1.5"));
  const auto parameters = method->named_parameters();
  for (const auto& [epoch, frozen] : {std::pair{0.0, true}, {1.4, true}, {1.5, false}}) {
    for (Tensor& parameter : method->parameters()) parameter.mutable_grad().reset();
    StepContext context = step_context();
    context.epoch = epoch;
    method->loss(batch_of_step(0), context).total.backward();
    method->after_backward(context);
    EXPECT_EQ(!parameters["student_video.5.weight"].grad().defined(), frozen) << epoch;
    EXPECT_EQ(!parameters["student_audio.5.weight"].grad().defined(), frozen) << epoch;
    EXPECT_TRUE(parameters["student_video.4.weight"].grad().defined());
  }
}

TEST(Dino, EvaluatesTheTeacherOrIfAskedTheStudent) {
  const auto teacher = bent_method("dino", kSmall);
  EXPECT_NE(&teacher->evaluation_towers(), &teacher->towers());
  const auto modules = teacher->named_modules();
  EXPECT_EQ(&teacher->evaluation_towers(), modules["teacher_towers"].get());
  const auto groups = teacher->param_groups(Stage::kFinetune);
  EXPECT_EQ(tensors_in(groups), 4u);
  EXPECT_TRUE(
      groups[0].parameters[0].is_same(teacher->named_parameters()["teacher_towers.video.weight"]));
  const auto student = bent_method("dino", with(kSmall, "evaluate", "student"));
  EXPECT_EQ(&student->evaluation_towers(), &student->towers());
}

TEST(Dino, EmbedsDistributionsOfTheStudent) {
  const auto method = bent_method("dino", kSmall);
  const Batch batch = batch_of_step(0);
  const auto [video, audio] = method->embed(method->towers().forward(batch));
  const Loss loss = loss_of(*method, batch);
  EXPECT_TRUE(at::allclose(video, (loss.inputs.at("student_video") / 0.1).softmax(1), 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(audio.sum(1), at::ones({6})));
}

}  // namespace
}  // namespace avbench
