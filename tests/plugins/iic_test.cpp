#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "avbench/losses.h"
#include "io/message.h"
#include "plugins/method_properties.h"

namespace avbench {
namespace {

using testing::HasSubstr;

const Settings kSmall = {{"negatives", "5"}, {"projector_dim", "4"}};

Settings with(Settings settings, const std::string& name, const std::string& text) {
  settings[name] = text;
  return settings;
}

Tensor wave(at::IntArrayRef shape, double phase) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  const Tensor x = (at::arange(count, at::kDouble) * 0.7 + phase).sin().view(shape);
  return x / x.norm(2, -1, true);
}

NamedTensors waves() {
  return {{"video", wave({3, 4}, 0.1)},
          {"audio", wave({3, 4}, 0.8)},
          {"bank_video", wave({3, 6, 4}, 1.7)},
          {"bank_audio", wave({3, 6, 4}, 2.3)},
          {"bank_negative", wave({3, 6, 4}, 3.9)}};
}

double naive_side(const Tensor& anchor, const Tensor& bank, const Tensor& negative, double t) {
  const Matrix x = to_matrix(anchor);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double own = 0, all = 0;
    for (const Tensor* rows : {&bank, &negative}) {
      const Matrix row = to_matrix((*rows)[static_cast<int64_t>(i)]);
      for (size_t k = 0; k < row.size(); ++k) {
        double dot = 0;
        for (size_t d = 0; d < row[k].size(); ++d) dot += x[i][d] * row[k][d];
        if (rows == &bank && k == 0) own = std::exp(dot / t);
        all += std::exp(dot / t);
      }
    }
    sum -= std::log(own / all) / static_cast<double>(x.size());
  }
  return sum;
}

TEST(Iic, EqualsTheFormulaWrittenAsLoops) {
  const NamedTensors x = waves();
  const Loss loss = pure_loss("iic", x, {{"temperature", "0.3"}});
  const double video = naive_side(x.at("video"), x.at("bank_audio"), x.at("bank_negative"), 0.3);
  const double audio = naive_side(x.at("audio"), x.at("bank_video"), x.at("bank_negative"), 0.3);
  EXPECT_NEAR(part(loss, "video"), video, 1e-11);
  EXPECT_NEAR(part(loss, "audio"), audio, 1e-11);
  EXPECT_NEAR(loss.total.item<double>(), video + audio, 1e-11);
}

// K = 1, temperature 1. Video: own 1; other 0; negatives 0, -1. Audio: all four -1 or 1 as given.
TEST(Iic, MatchesOneSampleByHand) {
  const auto rows = [](const Matrix& matrix) { return to_tensor(matrix).unsqueeze(0); };
  const NamedTensors x = {{"video", to_tensor({{1, 0}})},
                          {"audio", to_tensor({{0, 1}})},
                          {"bank_audio", rows({{1, 0}, {0, 1}})},
                          {"bank_video", rows({{0, -1}, {0, 1}})},
                          {"bank_negative", rows({{0, 1}, {-1, 0}})}};
  const double e = std::exp(1.0);
  const double video = std::log((e + 1 + 1 + 1 / e) / e);
  const double audio = std::log((1 / e + e + e + 1) * e);
  EXPECT_NEAR(pure_loss("iic", x, {{"temperature", "1"}}).total.item<double>(), video + audio,
              1e-13);
}

TEST(Iic, OfEqualRowsIsTheLogarithmOfTheCandidates) {
  const Tensor one = to_tensor({{1, 0}, {1, 0}});
  const Tensor bank = one.unsqueeze(1).expand({2, 5, 2}).contiguous();
  const NamedTensors x = {{"video", one},
                          {"audio", one},
                          {"bank_video", bank},
                          {"bank_audio", bank},
                          {"bank_negative", bank}};
  EXPECT_NEAR(pure_loss("iic", x).total.item<double>(), 2 * std::log(10.0), 1e-12);
}

TEST(Iic, StopsTheGradientOfTheBanks) {
  expect_property("gradient_matches_finite_differences", "iic");
}

TEST(Iic, IsAProperMethod) {
  expect_gradients_everywhere("iic", kSmall);
  expect_a_proper_method("iic", with(kSmall, "negative", "shuffle"));
  expect_a_proper_method("iic", with(kSmall, "projector_dim", "0"));
  expect_a_proper_method("iic", with(kSmall, "projector_batch_norm", "false"));
  expect_a_proper_method("iic", with(kSmall, "unit_embeddings", "false"));
  EXPECT_TRUE(untrained_parameters(*bent_method("iic", kSmall)).empty());
}

// Columns of mean 0 and variance 1 before they are brought to norm 1; as drawn without.
TEST(IicHead, EndsInABatchNormUnlessAskedOtherwise) {
  for (const bool normed : {true, false}) {
    Settings settings = with(kSmall, "unit_embeddings", "false");
    settings["projector_batch_norm"] = normed ? "true" : "false";
    const auto method = bent_method("iic", settings);
    const Tensor video = loss_of(*method, batch_of_step(0)).inputs.at("video").detach();
    const Tensor means = video.mean(0).abs(), variances = video.var(0, /*unbiased=*/false);
    EXPECT_EQ(means.max().item<double>() < 1e-5, normed);
    EXPECT_EQ(at::allclose(variances, at::ones_like(variances), 0, 1e-2), normed);
  }
}

// What meets the banks, which hold unit rows either way.
TEST(IicHead, LeavesTheEmbeddingsAsTheyAreIfAsked) {
  const auto unit_method = bent_method("iic", kSmall),
             plain = bent_method("iic", with(kSmall, "unit_embeddings", "false"));
  const Batch batch = batch_of_step(0);
  const Tensor a = loss_of(*unit_method, batch).inputs.at("audio"),
               b = loss_of(*plain, batch).inputs.at("audio");
  EXPECT_TRUE(at::allclose(a.norm(2, 1), at::ones({6})));
  EXPECT_FALSE(at::allclose(b.norm(2, 1), at::ones({6}), 0.1, 0.1));
  EXPECT_TRUE(at::allclose(a, l2_normalize(b), 1e-5, 1e-6));
  plain->after_step(step_context(0));
  EXPECT_TRUE(at::allclose(plain->named_buffers()["bank_audio.rows"].norm(2, 1), at::ones({16})));
}

Tensor buffer(Method& method, const std::string& name) { return method.named_buffers()[name]; }

TEST(IicBanks, StartAsUnitRowsOfEverySample) {
  const auto method = bent_method("iic", kSmall);
  for (const char* name : {"bank_video.rows", "bank_audio.rows", "bank_negative.rows"}) {
    const Tensor rows = buffer(*method, name);
    EXPECT_EQ(rows.sizes(), at::IntArrayRef({16, 4}));
    EXPECT_TRUE(at::allclose(rows.norm(2, 1), at::ones({16})));
  }
  EXPECT_FALSE(buffer(*method, "bank_video.rows").equal(buffer(*method, "bank_audio.rows")));
}

TEST(IicBanks, ShowEachSampleItsOwnRowFirstAndOthersAfter) {
  const auto method = bent_method("iic", with(kSmall, "negatives", "40"));
  const Batch batch = batch_of_step(3);
  const Loss loss = loss_of(*method, batch);
  for (const std::string bank : {"bank_video", "bank_audio", "bank_negative"}) {
    const Tensor seen = loss.inputs.at(bank), rows = buffer(*method, bank + ".rows");
    ASSERT_EQ(seen.sizes(), at::IntArrayRef({6, 41, 4}));
    EXPECT_TRUE(seen.select(1, 0).equal(rows.index_select(0, batch.index)));
    // Each of the 40 is a row of the bank, and never the sample's own.
    const Tensor same = seen.unsqueeze(2).eq(rows.view({1, 1, 16, 4})).all(3);  // [6, 41, 16]
    EXPECT_TRUE(same.any(2).all().item<bool>());
    const Tensor own = at::one_hot(batch.index, 16).to(at::kBool).unsqueeze(1);
    EXPECT_FALSE((same.slice(1, 1) & own).any().item<bool>());
    EXPECT_GT(same.slice(1, 1).any(1).sum(1).min().item<int64_t>(), 10);  // of 15 others
  }
}

TEST(IicBanks, TakeTheSameRandomRowsInEveryBank) {
  const auto method = bent_method("iic", kSmall);
  const Loss loss = loss_of(*method, batch_of_step(0));
  const auto places = [&](const std::string& bank) {
    return loss.inputs.at(bank)
        .unsqueeze(2)
        .eq(buffer(*method, bank + ".rows").view({1, 1, 16, 4}))
        .all(3)
        .to(at::kInt)
        .argmax(2);
  };
  EXPECT_TRUE(places("bank_video").equal(places("bank_audio")));
  EXPECT_TRUE(places("bank_video").equal(places("bank_negative")));
}

// Rows of the batch's samples become 0.5 * row + 0.5 * embedding, at norm 1, after the step and not
// before; all other rows keep their values.
TEST(IicBanks, MoveByTheStepsEmbeddingsAfterTheStep) {
  const auto method = bent_method("iic", kSmall);
  const Batch batch = batch_of_step(1);
  const Tensor before = buffer(*method, "bank_audio.rows").clone();
  const Loss loss = method->loss(batch, step_context(1));
  EXPECT_TRUE(buffer(*method, "bank_audio.rows").equal(before));
  method->after_step(step_context(1));
  const Tensor after = buffer(*method, "bank_audio.rows");
  Tensor expected = before.clone();
  for (int64_t i = 0; i < 6; ++i) {
    const int64_t sample = batch.index[i].item<int64_t>();
    const Tensor mean = 0.5 * before[sample] + 0.5 * loss.inputs.at("audio")[i].detach();
    expected[sample] = mean / mean.norm();
  }
  EXPECT_TRUE(at::allclose(after, expected, 1e-5, 1e-6));
}

TEST(IicBanks, EndTheSameInAnyOrderOfTheBatch) {
  const auto first = bent_method("iic", kSmall), second = bent_method("iic", kSmall);
  const Batch batch = batch_of_step(1);
  first->loss(batch, step_context(1));
  second->loss(select_rows(batch, at::tensor({5, 2, 0, 4, 1, 3}, at::kLong)), step_context(1));
  first->after_step(step_context(1));
  second->after_step(step_context(1));
  for (const char* name : {"bank_video.rows", "bank_audio.rows", "bank_negative.rows"}) {
    EXPECT_TRUE(at::allclose(buffer(*first, name), buffer(*second, name), 1e-5, 1e-6)) << name;
  }
}

// Towers that keep the clips they were given.
class WatchedTowers : public FakeTowers {
 public:
  using FakeTowers::FakeTowers;
  Features forward(const Batch& batch, const std::string& view = kBaseView) override {
    batches.push_back(batch);
    return FakeTowers::forward(batch, view);
  }
  std::vector<Batch> batches;
};

// The intra-negatives of clips whose frame t is filled with t.
std::vector<std::vector<int64_t>> negative_frames(const std::string& negative, int64_t frames,
                                                  const Tensor& index) {
  const auto towers = std::make_shared<WatchedTowers>(3 * frames * 4, 4);
  const MethodPlugin& plugin = plugin_named("iic");
  const auto method =
      plugin.create({.towers = towers,
                     .params = params_of(plugin, with(with(kSmall, "negative", negative),
                                                      "projector_batch_norm", "false")),
                     .train_size = 64});
  const int64_t size = index.size(0);
  const Tensor clip = at::arange(frames, at::kFloat)
                          .view({1, 1, frames, 1, 1})
                          .expand({size, 3, frames, 2, 2})
                          .contiguous(at::MemoryFormat::ChannelsLast3d);
  const Batch batch = {{{kBaseView, clip}}, {{kBaseView, at::rand({size, 3 * frames * 4})}}, index};
  loss_of(*method, batch);
  EXPECT_EQ(towers->batches.size(), 2u);  // the batch, and once more the video tower alone
  const Batch& seen = towers->batches.back();
  EXPECT_TRUE(seen.audio.empty());
  const Tensor made = seen.video.at(kBaseView);
  EXPECT_TRUE(made.is_contiguous(at::MemoryFormat::ChannelsLast3d));
  std::vector<std::vector<int64_t>> order(size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t t = 0; t < frames; ++t) {
      const Tensor frame = made[i].select(1, t);
      EXPECT_EQ(frame.min().item<double>(), frame.max().item<double>());  // a frame stays whole
      order[i].push_back(frame[0][0][0].item<int64_t>());
    }
  }
  return order;
}

TEST(IicNegatives, RepeatOneFrameThroughout) {
  std::vector<int64_t> chosen;
  for (const auto& frames : negative_frames("repeat", 8, at::arange(64))) {
    for (const int64_t frame : frames) EXPECT_EQ(frame, frames[0]);
    chosen.push_back(frames[0]);
  }
  for (int64_t t = 0; t < 8; ++t) EXPECT_GT(std::count(chosen.begin(), chosen.end(), t), 0);
}

TEST(IicNegatives, SwapTwoOfFourChunks) {
  std::set<std::vector<int64_t>> kinds;
  for (const auto& frames : negative_frames("shuffle", 8, at::arange(64))) {
    std::vector<int64_t> chunks;
    for (size_t t = 0; t < 8; t += 2) {
      EXPECT_EQ(frames[t + 1], frames[t] + 1);
      EXPECT_EQ(frames[t] % 2, 0);
      chunks.push_back(frames[t] / 2);
    }
    int moved = 0;
    for (int64_t c = 0; c < 4; ++c) moved += chunks[c] != c;
    EXPECT_EQ(moved, 2);
    kinds.insert(chunks);
  }
  EXPECT_EQ(kinds.size(), 6u);  // every pair of chunks occurs
}

TEST(IicNegatives, OfShortClipsSwapWhatThereIs) {
  for (const auto& frames : negative_frames("shuffle", 2, at::arange(8))) {
    EXPECT_EQ(frames, (std::vector<int64_t>{1, 0}));
  }
  for (auto frames : negative_frames("shuffle", 5, at::arange(8))) {
    EXPECT_FALSE(std::is_sorted(frames.begin(), frames.end()));
    std::sort(frames.begin(), frames.end());
    EXPECT_EQ(frames, (std::vector<int64_t>{0, 1, 2, 3, 4}));
  }
}

TEST(IicNegatives, DependOnTheSampleAndNotOnItsPlace) {
  for (const char* kind : {"repeat", "shuffle"}) {
    const auto forward = negative_frames(kind, 8, at::arange(16));
    auto backward = negative_frames(kind, 8, at::arange(16).flip(0));
    std::reverse(backward.begin(), backward.end());
    EXPECT_EQ(forward, backward) << kind;
    EXPECT_EQ(negative_frames(kind, 8, at::tensor({7}, at::kLong))[0], forward[7]) << kind;
  }
}

TEST(IicNegatives, AreNotMadeInEvaluation) {
  const auto towers = std::make_shared<WatchedTowers>(kInputs, 4);
  const auto method = make_method_on(towers, "iic", kSmall);
  method->eval();
  method->loss(batch_of_step(0), step_context(0, /*training=*/false));
  EXPECT_EQ(towers->batches.size(), 1u);
}

TEST(Iic, RefusesOneFrameAndOneSample) {
  const auto method = make_method_on(std::make_shared<FakeTowers>(1, 4), "iic", kSmall);
  Batch batch = fake_batch(4, 1);
  EXPECT_THAT(io::user_error([&] { loss_of(*method, batch); }), HasSubstr("got clips of 1 frame"));
  const MethodPlugin& plugin = plugin_named("iic");
  EXPECT_THAT(io::user_error([&] {
                plugin.create({.towers = std::make_shared<FakeTowers>(1, 4),
                               .params = params_of(plugin, {}),
                               .train_size = 1});
              }),
              HasSubstr("got a training split of 1, expected at least 2"));
}

TEST(Iic, RefusesSamplesOutsideTheTrainingSplit) {
  const auto method = bent_method("iic", kSmall);
  for (const int64_t outside : {int64_t{16}, int64_t{-1}}) {
    Batch batch = batch_of_step(0);
    batch.index[2] = outside;
    EXPECT_ANY_THROW(loss_of(*method, batch)) << outside;
  }
}

}  // namespace
}  // namespace avbench
