// A model's output that is not finite stops the stage that would make a metric of it.
#include "stages/finite_check.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/fixtures.h"
#include "encoders/two_towers.h"
#include "stages/evaluation.h"
#include "stages/features.h"

namespace avbench::stages {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

template <class F>
std::string failure(F call) {
  try {
    call();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// Concatenates, but for the given rows of all that it has seen.
class Poisoned : public Method {
 public:
  using Method::Method;
  Loss loss(const Batch&, const StepContext&) override { return {}; }
  Tensor fuse(const Tensor& video, const Tensor& audio) override {
    Tensor fused = at::cat({video, audio}, 1).clone();
    for (int64_t row = 0; row < fused.size(0); ++row) {
      if (rows.contains(seen++)) fused[row][0] = std::nan("");
    }
    return fused;
  }
  std::set<int64_t> rows;
  int64_t seen = 0;
};

// Training files of two classes, four of each.
class Finite : public testing::Test {
 protected:
  Finite() {
    folder_.write_good_files(4);
    data_.dataset = folder_.open(64);
  }

  Classifier classifier(const config::FinetuneConfig& config = {}) {
    method_ =
        std::make_shared<Poisoned>(MethodContext{.towers = encoders::make_towers({.width = 2}, 1)});
    Classifier made(method_, config::Modalities::kBoth, config, 2, 5);
    method_->seen = 0;
    return made;
  }

  void evaluate_training(Classifier& classifier) {
    evaluate(classifier, data_, data::Split::kTrain, spread_indices(8, 8), {.clips = 3},
             "row s0 test");
  }

  std::string path(const std::string& id) const { return id + " (" + (folder_ / id).string(); }

  data::DataFolder folder_;
  StageLoaders data_;
  std::shared_ptr<Poisoned> method_;
};

TEST_F(Finite, LogitsGiveAnAccuracy) {
  Classifier good = classifier();
  EXPECT_NO_THROW(evaluate_training(good));
}

// NaN has an argmax: it was a class, and could be the right one.
TEST_F(Finite, ALogitThatIsNaNNamesStageFileAndClips) {
  Classifier bad = classifier();
  method_->rows = {4, 5, 21};  // three clips a file
  const std::string message = failure([&] { evaluate_training(bad); });
  EXPECT_THAT(message, AllOf(HasSubstr("row s0 test: the logits of 2 of the files"),
                             HasSubstr(path("train/bell/f1.mp4") + ") clip 1, 2, "),
                             HasSubstr(path("train/drum/f3.mp4") + ") clip 0.")));
  EXPECT_THAT(message, AllOf(HasSubstr("the weights are at fault"), HasSubstr("learning rate")));
}

TEST_F(Finite, WeightsThatAreNaNAreBlamedAndManyFilesCounted) {
  Classifier bad = classifier();
  const at::NoGradGuard no_grad;
  bad.state().at("head.fc.bias").fill_(INFINITY);
  EXPECT_THAT(failure([&] { evaluate_training(bad); }),
              AllOf(HasSubstr("the logits of 8 of the files are not finite"),
                    HasSubstr(" and 3 more."), HasSubstr("the weights are at fault")));
}

TEST_F(Finite, ALossThatOverflowsIsNoMetric) {
  Classifier bad = classifier();
  const at::NoGradGuard no_grad;
  bad.state().at("head.fc.bias").copy_(at::tensor({3e38f, -3e38f}));
  EXPECT_THAT(failure([&] { evaluate_training(bad); }),
              AllOf(HasSubstr("row s0 test: the loss is "), HasSubstr("the largest logit 3e+38")));
}

TEST_F(Finite, FeaturesAloneAreWritten) {
  Classifier bad = classifier();
  EXPECT_EQ(extract_features(bad, data_, data::Split::kTrain, "features").at("features").size(0),
            8);
  method_->seen = 0;
  method_->rows = {6};
  EXPECT_THAT(
      failure([&] { extract_features(bad, data_, data::Split::kTrain, "row s0 features"); }),
      AllOf(HasSubstr("row s0 features: the features of 1 of the files"),
            HasSubstr(path("train/drum/f2.mp4"))));
}

TEST_F(Finite, StatisticsOfWeightsThatAreNaNAreNotTaken) {
  Classifier bad = classifier();
  const at::NoGradGuard no_grad;
  bad.state().at("towers.video.stem.conv.weight").fill_(std::nan(""));
  EXPECT_THAT(failure([&] { reestimate_statistics(bad, data_, {}); }),
              AllOf(HasSubstr("re-estimating statistics: those of batch norm are not finite"),
                    HasSubstr("the weights are at fault")));
}

TEST_F(Finite, FeaturesOfTheFrozenScopeAreStandardisedOnlyIfAllAreFinite) {
  Classifier bad = classifier({.scope = config::FinetuneConfig::Scope::kFrozen});
  method_->rows = {2};
  EXPECT_THAT(failure([&] { reestimate_statistics(bad, data_, {.reestimate = false}); }),
              HasSubstr("the features of 1 of the files are not finite"));
}

// ---- what is at fault -------------------------------------------------------------------------

class FiniteInput : public Finite {
 protected:
  // Of samples 0 to 3, clip 0.
  FiniteInput() {
    batch_.batch.video[kBaseView] = at::zeros({4, 3, 2, 4, 4});
    batch_.batch.audio[kBaseView] = at::zeros({4, 3, 1, 4, 4});
    for (int64_t i = 0; i < 4; ++i) batch_.requests.push_back({.index = i, .clips = 1});
  }

  data::LoadedBatch batch_;
  Tensor outputs_ = at::zeros({4, 2});
};

TEST_F(FiniteInput, DecidesBetweenTheFileAndTheWeights) {
  batch_.batch.audio[kBaseView][2][0][0][1][1] = std::nan("");
  outputs_[2] = std::nan("");
  FiniteCheck file(data_, data::Split::kTrain, "stage", "logits");
  file.add(batch_, outputs_);
  const std::string one = failure([&] { file.require_all(); });
  EXPECT_THAT(one, HasSubstr("audio of " + path("train/bell/f2.mp4") + ") are not finite: mend"));
  EXPECT_THAT(one, Not(HasSubstr("weights")));

  outputs_[3] = INFINITY;
  FiniteCheck both(data_, data::Split::kTrain, "stage", "logits");
  both.add(batch_, outputs_);
  const std::string two = failure([&] { both.require_all(); });
  EXPECT_THAT(two, AllOf(HasSubstr("logits of 2 of the files"), HasSubstr("are not finite: mend"),
                         HasSubstr("Of the others: Frames and audio are finite")));
}

TEST_F(FiniteInput, PassesAnOutputThatIsFiniteWhateverTheInput) {
  batch_.batch.audio[kBaseView][2][0][0][1][1] = std::nan("");
  FiniteCheck check(data_, data::Split::kTrain, "stage", "logits");
  check.add(batch_, outputs_);
  EXPECT_NO_THROW(check.require_all());
}

}  // namespace
}  // namespace avbench::stages
