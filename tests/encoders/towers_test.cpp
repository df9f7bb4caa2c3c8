// The pair of encoders, and batch-norm statistics measured anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "encoders/batch_norm_stats.h"
#include "encoders/encoder.h"
#include "encoders/two_towers.h"
#include "io/error.h"

namespace avbench::encoders {
namespace {

using State = std::map<std::string, Tensor>;

config::EncoderConfig small(config::Backbone name = config::Backbone::kR3d, bool shared = false) {
  return {.name = name, .width = 4, .shared = shared};
}

Batch random_batch(int64_t size) {
  Batch batch;
  batch.video[kBaseView] = at::rand({size, 3, 4, 32, 32});
  batch.audio[kBaseView] = at::rand({size, 3, 1, 32, 32});
  return batch;
}

// Copies of all parameters and buffers by name.
State state_of(const torch::nn::Module& module) {
  State state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value().clone();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value().clone();
  return state;
}

bool same(const State& a, const State& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a) {
    if (!b.contains(name) || !at::equal(tensor, b.at(name))) return false;
  }
  return true;
}

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0;
}

// ---- weights ------------------------------------------------------------------------------------

TEST(Towers, InitialWeightsDependOnTheSeedAlone) {
  at::manual_seed(1);
  const State first = state_of(*make_towers(small(), 7));
  at::manual_seed(2);
  at::rand({5});
  EXPECT_TRUE(same(first, state_of(*make_towers(small(), 7))));
  EXPECT_FALSE(same(first, state_of(*make_towers(small(), 8))));
}

TEST(Towers, LeaveTheCallersGeneratorAsItWas) {
  at::manual_seed(1);
  const Tensor expected = at::rand({4});
  at::manual_seed(1);
  make_towers(small(), 7)->momentum_copy();
  EXPECT_TRUE(at::equal(at::rand({4}), expected));
}

TEST(Towers, ModalitiesShareNoWeights) {
  const State state = state_of(*make_towers(small(), 7));
  EXPECT_FALSE(at::equal(state.at("video.stem.conv.weight"), state.at("audio.stem.conv.weight")));
  EXPECT_FALSE(at::equal(state.at("video.conv5.block1.conv2.weight"),
                         state.at("audio.conv5.block1.conv2.weight")));
}

TEST(Towers, SharingLeavesTheVideoTowersWeightsAsTheyAre) {
  const State apart = state_of(*make_towers(small(), 7));
  for (const auto& [name, tensor] :
       state_of(*make_towers(small(config::Backbone::kR3d, true), 7))) {
    EXPECT_TRUE(at::equal(tensor, apart.at(name))) << name;
  }
}

// ---- forward ------------------------------------------------------------------------------------

TEST(Towers, RunTheModalitiesThatTheViewHas) {
  auto towers = make_towers(small(), 0);
  Batch batch = random_batch(2);
  batch.video["second"] = at::rand({2, 3, 2, 48, 48});
  const Features both = towers->forward(batch);
  EXPECT_EQ(both.video.pooled.sizes(), (std::vector<int64_t>{2, 32}));
  EXPECT_EQ(both.audio.pooled.sizes(), (std::vector<int64_t>{2, 32}));
  const Features second = towers->forward(batch, "second");
  EXPECT_TRUE(second.video.pooled.defined());
  EXPECT_FALSE(second.audio.pooled.defined());
  EXPECT_THROW(towers->forward(batch, "third"), c10::Error);
  EXPECT_EQ(towers->feature_dim(), 32);
  EXPECT_EQ(towers->tap_channels("conv3"), 8);
  EXPECT_THROW(towers->tap_channels("conv1"), io::UserError);
}

TEST(Towers, TwoViewsCanBeRunBeforeOneBackward) {
  auto towers = make_towers(small(config::Backbone::kR3d, true), 0);
  const Features a = towers->forward(random_batch(2)), b = towers->forward(random_batch(2));
  (a.video.pooled * b.video.pooled + a.audio.pooled * b.audio.pooled).sum().backward();
  for (const auto& item : towers->named_parameters()) {
    EXPECT_TRUE(item.value().grad().defined()) << item.key();
  }
}

TEST(Towers, EvaluationChangesNoState) {
  for (const bool shared : {false, true}) {
    auto towers = make_towers(small(config::Backbone::kR2plus1d, shared), 0);
    towers->eval();
    const State before = state_of(*towers);
    towers->forward(random_batch(2));
    EXPECT_TRUE(same(before, state_of(*towers)));
  }
}

TEST(Towers, TheAudioTowersStemTakesTheSpectrogramsChannels) {
  for (const config::Backbone name :
       {config::Backbone::kR3d, config::Backbone::kR2plus1d, config::Backbone::kC3d}) {
    auto towers = make_towers(small(name), 0, 1);
    const State ours = state_of(*towers), theirs = state_of(*make_towers(small(name), 0));
    Batch batch = random_batch(2);
    EXPECT_THROW(towers->forward(batch), c10::Error);
    batch.audio[kBaseView] = at::rand({2, 1, 1, 32, 32});
    EXPECT_EQ(towers->forward(batch).audio.pooled.sizes(), (std::vector<int64_t>{2, 32}));
    EXPECT_TRUE(same(state_of(*towers), state_of(*towers->momentum_copy())));
    ASSERT_EQ(ours.size(), theirs.size());
    for (const auto& [tensor, value] : theirs) {
      ASSERT_TRUE(ours.contains(tensor)) << tensor;
      EXPECT_TRUE(!starts_with(tensor, "video.") || at::equal(ours.at(tensor), value)) << tensor;
    }
  }
  EXPECT_THROW(make_towers(small(config::Backbone::kR3d, true), 0, 1), io::UserError);
}

// ---- one shared tower ---------------------------------------------------------------------------

TEST(SharedTower, HasOneSetOfParametersAndTwoOfStatistics) {
  for (const config::Backbone name :
       {config::Backbone::kR3d, config::Backbone::kR2plus1d, config::Backbone::kC3d}) {
    auto towers = make_towers(small(name, true), 0);
    auto apart = make_towers(small(name), 0);
    EXPECT_EQ(2 * towers->parameters().size(), apart->parameters().size());
    EXPECT_EQ(towers->buffers().size(), apart->buffers().size());
    for (const auto& item : towers->named_parameters()) {
      EXPECT_TRUE(starts_with(item.key(), "video.")) << item.key();
    }
  }
}

TEST(SharedTower, BothModalitiesFollowTheSameWeights) {
  auto towers = make_towers(small(config::Backbone::kR3d, true), 0);
  const Tensor clip = at::rand({3, 3, 1, 32, 32});
  Batch batch;
  batch.video[kBaseView] = batch.audio[kBaseView] = clip;
  for (int round = 0; round < 2; ++round) {
    const Features features = towers->forward(batch);
    EXPECT_TRUE(at::equal(features.video.pooled, features.audio.pooled));
    const torch::NoGradGuard no_grad;
    for (Tensor& parameter : towers->parameters()) parameter.mul_(1.5).add_(0.01);
  }
}

TEST(SharedTower, GradientIsTheSumOverBothModalities) {
  auto towers = make_towers(small(config::Backbone::kR3d, true), 0);
  towers->to(at::kDouble);
  Batch both = random_batch(3), video, audio;
  video.video[kBaseView] = both.video[kBaseView] = both.video[kBaseView].to(at::kDouble);
  audio.audio[kBaseView] = both.audio[kBaseView] = both.audio[kBaseView].to(at::kDouble);
  const auto gradients = [&](const Tensor& loss) {
    towers->zero_grad();
    loss.backward();
    std::vector<Tensor> out;
    for (const Tensor& parameter : towers->parameters()) out.push_back(parameter.grad().clone());
    return out;
  };
  const Tensor direction = at::randn({3, 32}, at::kDouble);
  const auto of = [&](const TowerOutput& output) { return (output.pooled * direction).sum(); };
  const auto from_video = gradients(of(towers->forward(video).video));
  const auto from_audio = gradients(of(towers->forward(audio).audio));
  const Features features = towers->forward(both);
  const auto joint = gradients(of(features.video) + of(features.audio));
  for (size_t i = 0; i < joint.size(); ++i) {
    EXPECT_TRUE(at::allclose(joint[i], from_video[i] + from_audio[i], 1e-9, 1e-12)) << i;
  }
}

TEST(SharedTower, OneModalityLeavesTheOthersStatistics) {
  auto towers = make_towers(small(config::Backbone::kR3d, true), 0);
  const State before = state_of(*towers);
  Batch batch;
  batch.audio[kBaseView] = at::rand({3, 3, 1, 32, 32});
  towers->forward(batch);
  for (const auto& item : towers->named_buffers()) {
    EXPECT_EQ(at::equal(item.value(), before.at(item.key())), starts_with(item.key(), "video."))
        << item.key();
  }
}

// ---- momentum encoder ---------------------------------------------------------------------------

TEST(MomentumCopy, EqualsItsSourceAndSharesNothingWithIt) {
  for (const bool shared : {false, true}) {
    auto towers = make_towers(small(config::Backbone::kR3d, shared), 3);
    towers->forward(random_batch(3));
    towers->eval();
    auto copy = towers->momentum_copy();
    EXPECT_TRUE(same(state_of(*towers), state_of(*copy)));
    EXPECT_FALSE(copy->is_training());
    const Batch batch = random_batch(2);
    EXPECT_TRUE(at::equal(towers->forward(batch).audio.pooled, copy->forward(batch).audio.pooled));

    for (const Tensor& parameter : copy->parameters()) EXPECT_FALSE(parameter.requires_grad());
    for (const Tensor& parameter : towers->parameters()) EXPECT_TRUE(parameter.requires_grad());
    std::set<const void*> storages;
    for (const auto& model : {towers, copy}) {
      for (const Tensor& tensor : model->parameters()) storages.insert(tensor.data_ptr());
      for (const Tensor& tensor : model->buffers()) storages.insert(tensor.data_ptr());
    }
    EXPECT_EQ(storages.size(), 2 * (towers->parameters().size() + towers->buffers().size()));
  }
}

TEST(MomentumCopy, FollowsTheSourcesPrecisionAndLayout) {
  auto towers = make_towers(small(), 3);
  towers->to(at::kDouble);
  const auto source = towers->parameters(), copy = towers->momentum_copy()->parameters();
  for (size_t i = 0; i < source.size(); ++i) {
    EXPECT_EQ(copy[i].scalar_type(), at::kDouble);
    EXPECT_EQ(copy[i].strides(), source[i].strides());
  }
}

// ---- batch-norm statistics ----------------------------------------------------------------------

BatchSource over(const std::vector<Batch>& batches) {
  return [&batches](const std::function<void(const Batch&)>& visit) {
    for (const Batch& batch : batches) visit(batch);
  };
}

// Mean and unbiased variance of the stem's output, averaged over the batches: sums by hand.
TEST(BatchNormStats, AreAveragesOverBatches) {
  auto towers = make_towers(small(), 0);
  std::vector<Batch> batches;
  for (const int64_t size : {3, 2, 4}) batches.push_back(random_batch(size));
  reestimate_batch_norm(*towers, over(batches));

  const State state = state_of(*towers);
  const Tensor weight = state.at("video.stem.conv.weight").to(at::kDouble);
  Tensor mean = at::zeros({4}, at::kDouble), variance = at::zeros({4}, at::kDouble);
  for (const Batch& batch : batches) {
    const Tensor map = at::conv3d(batch.video.at(kBaseView).to(at::kDouble), weight, {},
                                  at::IntArrayRef{1, 2, 2}, at::IntArrayRef{1, 3, 3});
    const Tensor rows = map.transpose(0, 1).flatten(1);
    mean += rows.mean(1) / 3;
    variance += (rows - rows.mean(1, true)).square().sum(1) / (rows.size(1) - 1) / 3;
  }
  EXPECT_TRUE(
      at::allclose(state.at("video.stem.bn.running_mean").to(at::kDouble), mean, 1e-4, 1e-6));
  EXPECT_TRUE(
      at::allclose(state.at("video.stem.bn.running_var").to(at::kDouble), variance, 1e-3, 1e-6));
}

TEST(BatchNormStats, ForgetWhatWasThereAndTouchNothingElse) {
  auto towers = make_towers(small(config::Backbone::kC3d), 0),
       other = make_towers(small(config::Backbone::kC3d), 0);
  {
    const torch::NoGradGuard no_grad;
    for (Tensor& buffer : other->buffers()) buffer.fill_(std::nan(""));
  }
  const std::vector<Batch> batches{random_batch(3), random_batch(3)};
  reestimate_batch_norm(*towers, over(batches));
  reestimate_batch_norm(*other, over(batches));
  EXPECT_TRUE(same(state_of(*towers), state_of(*other)));
  const auto fresh = make_towers(small(config::Backbone::kC3d), 0)->named_parameters();
  for (const auto& item : towers->named_parameters()) {
    EXPECT_TRUE(at::equal(item.value(), fresh[item.key()])) << item.key();
    EXPECT_TRUE(item.value().requires_grad() && !item.value().grad().defined()) << item.key();
  }
}

TEST(BatchNormStats, RestoreModesAndMomentum) {
  auto towers = make_towers(small(), 0), plain = make_towers(small(), 0);
  const std::vector<Batch> batches{random_batch(3)};
  towers->eval();
  towers->modules(false).front()->train();
  reestimate_batch_norm(*towers, over(batches));
  EXPECT_FALSE(towers->is_training());
  EXPECT_TRUE(towers->modules(false).front()->is_training());
  EXPECT_FALSE(towers->modules(false).back()->is_training());

  // Afterwards a batch moves the statistics by a tenth again.
  const std::string name = "video.stem.bn.running_mean";
  const Tensor before = state_of(*towers).at(name);
  const Batch next = random_batch(3);
  towers->train();
  towers->forward(next);
  reestimate_batch_norm(*plain, over({next}));
  EXPECT_TRUE(at::allclose(state_of(*towers).at(name),
                           0.9 * before + 0.1 * state_of(*plain).at(name), 1e-4, 1e-6));
}

TEST(BatchNormStats, ModesAreRestoredWhenABatchFails) {
  auto towers = make_towers(small(), 0);
  towers->eval();
  const auto failing = [](const std::function<void(const Batch&)>&) {
    throw std::runtime_error("disk");
  };
  EXPECT_THROW(reestimate_batch_norm(*towers, failing), std::runtime_error);
  EXPECT_FALSE(towers->is_training());
}

TEST(BatchNormStats, NoBatchIsAnError) {
  auto towers = make_towers(small(), 0);
  const State before = state_of(*towers);
  EXPECT_THROW(reestimate_batch_norm(*towers, over({})), std::runtime_error);
  EXPECT_TRUE(same(before, state_of(*towers)));
}

TEST(BatchNormStats, TowerWithoutBatchesKeepsItsStatistics) {
  for (const bool shared : {false, true}) {
    auto towers = make_towers(small(config::Backbone::kR3d, shared), 0);
    const State before = state_of(*towers);
    Batch batch;
    batch.video[kBaseView] = at::rand({3, 3, 2, 32, 32});
    reestimate_batch_norm(*towers, over({batch}));
    for (const auto& item : towers->named_buffers()) {
      EXPECT_EQ(at::equal(item.value(), before.at(item.key())), starts_with(item.key(), "audio."))
          << item.key();
    }
  }
}

}  // namespace
}  // namespace avbench::encoders
