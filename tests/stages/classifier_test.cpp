#include "stages/classifier.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "encoders/two_towers.h"
#include "train/optimizer.h"

namespace avbench::stages {
namespace {

constexpr int64_t kWidth = 2;  // features [B, 16]
constexpr int64_t kClasses = 3;

Batch small_batch() {
  torch::manual_seed(1);
  Batch batch;
  batch.video[kBaseView] = torch::rand({4, 3, 2, 16, 16});
  batch.audio[kBaseView] = torch::rand({4, 3, 1, 16, 16});
  return batch;
}

Classifier make_classifier(const config::FinetuneConfig& config,
                           config::Modalities modality = config::Modalities::kBoth,
                           uint64_t head_seed = 5) {
  return {make_baseline(encoders::make_towers({.width = kWidth}, 1)), modality, config, kClasses,
          head_seed};
}

std::map<std::string, Tensor> copies(const tensors::StateDict& state) {
  std::map<std::string, Tensor> result;
  for (const auto& [name, tensor] : state) result[name] = tensor.clone();
  return result;
}

std::vector<std::string> changed(const std::map<std::string, Tensor>& before,
                                 const tensors::StateDict& after) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : after) {
    if (!torch::equal(before.at(name), tensor)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> train_one_step(Classifier& classifier) {
  const auto before = copies(classifier.state());
  train::Optimizer optimizer({.lr = 0.1}, classifier.param_groups(), classifier.state());
  classifier.set_training();
  classifier.forward(small_batch()).values.pow(2).sum().backward();
  optimizer.step(1);
  return changed(before, classifier.state());
}

TEST(Classifier, FrozenScopeTrainsTheHeadOnly) {
  Classifier classifier = make_classifier({.scope = config::FinetuneConfig::Scope::kFrozen});
  const auto names = train_one_step(classifier);
  EXPECT_EQ(names.size(), 4u);  // two layers, weight and bias
  for (const std::string& name : names) EXPECT_TRUE(name.starts_with("head.fc")) << name;
}

TEST(Classifier, FullScopeTrainsBothTowersToo) {
  Classifier classifier = make_classifier({});
  int video = 0, audio = 0;
  for (const std::string& name : train_one_step(classifier)) {
    video += name.starts_with("towers.video.");
    audio += name.starts_with("towers.audio.");
  }
  EXPECT_GT(video, 10);
  EXPECT_EQ(video, audio);
}

TEST(Classifier, OneModalityNeedsNoOther) {
  for (const config::Modalities modality :
       {config::Modalities::kVideo, config::Modalities::kAudio}) {
    Classifier classifier = make_classifier({}, modality);
    Batch batch = small_batch();
    (modality == config::Modalities::kVideo ? batch.audio : batch.video).clear();
    classifier.set_evaluation();
    EXPECT_EQ(classifier.forward(batch).features.size(1), 16);
    EXPECT_EQ(classifier.forward(batch).values.sizes().vec(), (std::vector<int64_t>{4, kClasses}));
  }
}

TEST(Classifier, BothModalitiesAreConcatenated) {
  Classifier classifier = make_classifier({});
  classifier.set_evaluation();
  const Batch batch = small_batch();
  const Features features = classifier.towers().forward(batch);
  EXPECT_TRUE(torch::equal(classifier.forward(batch).features,
                           torch::cat({features.video.pooled, features.audio.pooled}, 1)));
}

class Summing : public Method {
 public:
  using Method::Method;
  Loss loss(const Batch&, const StepContext&) override { return {}; }
  Tensor fuse(const Tensor& video, const Tensor& audio) override { return video + audio; }
};

TEST(Classifier, SeesTheMethodsFusionOrTheConcatenation) {
  const auto features = [](const config::FinetuneConfig& config) {
    const auto method = std::make_shared<Summing>(
        MethodContext{.towers = encoders::make_towers({.width = kWidth}, 1)});
    Classifier classifier(method, config::Modalities::kBoth, config, kClasses, 5);
    classifier.set_evaluation();
    return classifier.forward(small_batch());
  };
  const Logits fused = features({}),
               plain = features({.fusion = config::FinetuneConfig::Fusion::kConcat});
  EXPECT_TRUE(torch::equal(fused.features, fused.video + fused.audio));
  EXPECT_TRUE(torch::equal(plain.features, torch::cat({plain.video, plain.audio}, 1)));
}

TEST(Classifier, StandardisesFrozenFeatures) {
  Classifier classifier = make_classifier({.scope = config::FinetuneConfig::Scope::kFrozen});
  classifier.set_evaluation();
  const Tensor raw = classifier.forward(small_batch()).features.clone();
  const Tensor deviation = raw.std(0, false);
  classifier.standardise(raw.mean(0), deviation);
  const Tensor features = classifier.forward(small_batch()).features;
  EXPECT_LT(features.mean(0).abs().max().item<double>(), 1e-4);
  // Of the four samples some features may be constant: those become zero, not noise.
  const Tensor expected = (deviation > 1e-4 * deviation.max()).to(at::kFloat);
  EXPECT_GT(expected.sum().item<double>(), 4);
  EXPECT_LT((features.std(0, false) - expected).abs().max().item<double>(), 1e-3);
}

TEST(Classifier, HiddenZeroIsOneLinearLayer) {
  Classifier classifier = make_classifier({.hidden = 0, .dropout = 0});
  int64_t head_tensors = 0;
  for (const auto& [name, tensor] : classifier.state()) head_tensors += name.starts_with("head.fc");
  EXPECT_EQ(head_tensors, 2);
}

TEST(Classifier, HeadWeightsDependOnTheirSeedAlone) {
  torch::manual_seed(99);
  const Tensor a =
      make_classifier({}, config::Modalities::kBoth, 5).state().at("head.fc.weight").clone();
  torch::manual_seed(7);
  const Tensor b =
      make_classifier({}, config::Modalities::kBoth, 5).state().at("head.fc.weight").clone();
  const Tensor c =
      make_classifier({}, config::Modalities::kBoth, 6).state().at("head.fc.weight").clone();
  EXPECT_TRUE(torch::equal(a, b));
  EXPECT_FALSE(torch::equal(a, c));
}

TEST(Classifier, DropoutIsBeforeTheLastLayerAndOffInEvaluation) {
  Classifier classifier = make_classifier({.dropout = 0.7});
  classifier.set_evaluation();
  const Batch batch = small_batch();
  EXPECT_TRUE(torch::equal(classifier.forward(batch).values, classifier.forward(batch).values));
}

}  // namespace
}  // namespace avbench::stages
