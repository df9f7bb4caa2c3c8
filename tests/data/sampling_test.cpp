#include "data/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "data/batch_sampler.h"
#include "data/label_subset.h"

namespace avbench::data {
namespace {

using testing::ElementsAre;
using testing::IsSubsetOf;

const ViewSpec kVideo{kBaseView, Modality::kVideo};
const ViewSpec kAudio{kBaseView, Modality::kAudio};
const config::ClipConfig kClip;                // 16 frames, 128x171, crop 112
const config::SpectrogramConfig kSpectrogram;  // 128x171, crop 112

SampleRequest evaluation(int64_t clip, int64_t clips, bool spread = true) {
  return {.index = 3, .clip = clip, .clips = clips, .spread = spread};
}

TEST(PlaceClip, SpreadsTestClipsOverTheWholeFile) {
  // numpy.rint(numpy.linspace(0, 100 - 16, 10))
  std::vector<int64_t> starts;
  for (int64_t k = 0; k < 10; ++k) {
    const ClipPlace place = place_clip(evaluation(k, 10), kVideo, 100, kClip);
    starts.push_back(place.start);
    EXPECT_EQ(place.crop, (Crop{8, 29}));
  }
  EXPECT_THAT(starts, ElementsAre(0, 9, 19, 28, 37, 47, 56, 65, 75, 84));
  EXPECT_EQ(place_clip(evaluation(0, 1), kVideo, 100, kClip).start, 42);
  EXPECT_EQ(place_clip(evaluation(9, 10), kVideo, 16, kClip).start, 0);
}

TEST(PlaceClip, CountsTheStride) {
  const config::ClipConfig strided{.frames = 4, .stride = 5};
  EXPECT_EQ(clip_span(strided), 16);
  EXPECT_EQ(place_clip(evaluation(1, 2), kVideo, 20, strided).start, 4);
  EXPECT_THROW(place_clip(evaluation(1, 2), kVideo, 15, strided), std::invalid_argument);
}

TEST(PlaceClip, BeginsWhereItMayIfThatIsRestricted) {
  const std::vector<int64_t> seconds{0, 25, 50, 75};
  std::set<int64_t> drawn;
  for (int64_t index = 0; index < 100; ++index) {
    drawn.insert(place_clip({.index = index, .seed = 1}, kVideo, 100, kClip, seconds).start);
  }
  EXPECT_THAT(drawn, ElementsAre(0, 25, 50, 75));
  std::vector<int64_t> tested;
  for (int64_t k = 0; k < 3; ++k) {
    tested.push_back(place_clip(evaluation(k, 3), kVideo, 100, kClip, seconds).start);
  }
  EXPECT_THAT(tested, ElementsAre(0, 50, 75));
  EXPECT_EQ(place_clip(evaluation(0, 1), kVideo, 100, kClip, seconds).start, 25);
}

TEST(PlaceClip, ThreeTestCropsLieAlongTheLongerSide) {
  const config::ClipConfig upright{.resize = {171, 128}};
  std::vector<Crop> wide, high;
  for (int64_t k = 0; k < 3; ++k) {
    const SampleRequest request{.clip = 0, .clips = 1, .crop = k, .crops = 3};
    wide.push_back(place_clip(request, kVideo, 16, kClip).crop);
    high.push_back(place_clip(request, kVideo, 16, upright).crop);
  }
  EXPECT_THAT(wide, ElementsAre(Crop{8, 0}, Crop{8, 30}, Crop{8, 59}));
  EXPECT_THAT(high, ElementsAre(Crop{0, 8}, Crop{30, 8}, Crop{59, 8}));
}

TEST(PlaceClip, MirrorsTrainingClipsWithTheirProbability) {
  const auto mirrored = [](double probability) {
    const config::ClipConfig clip{.flip = probability};
    int count = 0;
    for (int64_t index = 0; index < 1000; ++index) {
      count += place_clip({.index = index, .seed = 3}, kVideo, 16, clip).mirrored;
    }
    EXPECT_FALSE(place_clip(evaluation(0, 1), kVideo, 16, clip).mirrored);
    return count;
  };
  EXPECT_EQ(mirrored(0), 0);
  EXPECT_EQ(mirrored(1), 1000);
  EXPECT_NEAR(mirrored(0.3), 300, 60);  // four deviations
}

TEST(DrawJitter, StaysWithinItsBoundsAndDiffersBySample) {
  const config::JitterConfig config{.brightness = 0.4, .contrast = 2, .hue = 0.1};
  std::set<std::array<JitterStep, 4>> orders;
  float least = 1, greatest = 1, hue = 0;
  for (int64_t index = 0; index < 3000; ++index) {
    const auto jitter = draw_jitter({.index = index, .seed = 2}, kVideo, config);
    ASSERT_TRUE(jitter);
    EXPECT_GE(jitter->brightness, 0.6f);
    EXPECT_LE(jitter->brightness, 1.4f);
    EXPECT_EQ(jitter->saturation, 1);
    least = std::min(least, jitter->contrast);
    greatest = std::max(greatest, jitter->contrast);
    hue = std::max(hue, std::abs(jitter->hue));
    orders.insert(jitter->order);
  }
  EXPECT_GE(least, 0);  // from max(0, 1 - 2)
  EXPECT_LT(least, 0.05f);
  EXPECT_GT(greatest, 2.95f);
  EXPECT_LE(greatest, 3);
  EXPECT_LE(hue, 0.1f);
  EXPECT_GT(hue, 0.09f);
  EXPECT_EQ(orders.size(), 24u);  // all of them
  EXPECT_FALSE(draw_jitter(evaluation(0, 1), kVideo, config));
  EXPECT_FALSE(draw_jitter({.seed = 2}, kVideo, {}));
}

TEST(PlaceSpectrogram, SpreadsTestCropsOverTimeOrCentresThem) {
  std::vector<int64_t> columns;
  for (int64_t k = 0; k < 10; ++k) {
    const Crop crop = place_spectrogram(evaluation(k, 10), kAudio, kSpectrogram);
    EXPECT_EQ(crop.y, 8);
    columns.push_back(crop.x);
  }
  EXPECT_THAT(columns, ElementsAre(0, 7, 13, 20, 26, 33, 39, 46, 52, 59));
  EXPECT_EQ(place_spectrogram(evaluation(4, 10, false), kAudio, kSpectrogram), (Crop{8, 29}));
  EXPECT_EQ(place_spectrogram(evaluation(0, 1), kAudio, kSpectrogram), (Crop{8, 29}));
}

TEST(PlaceClip, TrainingDrawsReachEveryPlaceAndNoOther) {
  const config::ClipConfig clip{.frames = 4, .resize = {18, 17}, .crop = 16};
  std::set<int64_t> starts, rows, columns;
  for (int64_t index = 0; index < 300; ++index) {
    const ClipPlace place = place_clip({.index = index, .seed = 1}, kVideo, 8, clip);
    starts.insert(place.start);
    rows.insert(place.crop.y);
    columns.insert(place.crop.x);
  }
  EXPECT_THAT(starts, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(rows, ElementsAre(0, 1, 2));
  EXPECT_THAT(columns, ElementsAre(0, 1));
}

TEST(PlaceClip, DependsOnSeedEpochIndexAndViewOnly) {
  const SampleRequest request{.index = 5, .seed = 7, .epoch = 2};
  const ClipPlace place = place_clip(request, kVideo, 1000, kClip);
  EXPECT_EQ(place_clip(request, kVideo, 1000, kClip), place);
  int different = 0;
  for (const SampleRequest& other : {SampleRequest{.index = 6, .seed = 7, .epoch = 2},
                                     SampleRequest{.index = 5, .seed = 8, .epoch = 2},
                                     SampleRequest{.index = 5, .seed = 7, .epoch = 3}}) {
    different += place_clip(other, kVideo, 1000, kClip) != place;
  }
  EXPECT_EQ(different, 3);
}

TEST(PlaceClip, FurtherViewsKeepOrDrawTheirStart) {
  const ViewSpec same{"second", Modality::kVideo, ViewTime::kSame};
  const ViewSpec independent{"second", Modality::kVideo, ViewTime::kIndependent};
  int equal_starts = 0, equal_crops = 0;
  for (int64_t index = 0; index < 50; ++index) {
    const SampleRequest request{.index = index};
    const ClipPlace base = place_clip(request, kVideo, 1000, kClip);
    EXPECT_EQ(place_clip(request, same, 1000, kClip).start, base.start);
    equal_starts += place_clip(request, independent, 1000, kClip).start == base.start;
    equal_crops += place_clip(request, same, 1000, kClip).crop == base.crop;
  }
  EXPECT_LT(equal_starts, 3);
  EXPECT_LT(equal_crops, 3);
}

TEST(PlaceSpectrogram, TrainingCropIsIndependentOfTheImage) {
  int equal = 0;
  for (int64_t index = 0; index < 100; ++index) {
    const SampleRequest request{.index = index};
    equal += place_spectrogram(request, kAudio, kSpectrogram) ==
             place_clip(request, kVideo, 100, kClip).crop;
  }
  EXPECT_LT(equal, 4);
}

TEST(TrainPlan, VisitsEachSampleOnceAnEpochAndDropsTheRest) {
  const BatchSampler sampler = training_sampler({2, 3, 5, 7, 11, 13, 17}, 3, 4);
  EXPECT_EQ(sampler.batches, 2);
  std::set<std::vector<int64_t>> orders;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    std::vector<int64_t> order;
    for (int64_t batch = 2 * epoch; batch < 2 * epoch + 2; ++batch) {
      const auto requests = sampler.requests(batch);
      ASSERT_EQ(requests.size(), 3u);
      for (const SampleRequest& request : requests) {
        EXPECT_EQ(request.epoch, epoch);
        EXPECT_EQ(request.seed, 4u);
        EXPECT_EQ(request.clips, 0);
        order.push_back(request.index);
      }
    }
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), 6u);
    EXPECT_THAT(order, IsSubsetOf({2, 3, 5, 7, 11, 13, 17}));
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 15u);
  EXPECT_EQ(sampler.requests(9), sampler.requests(9));
}

TEST(TrainPlan, TakesAllSamplesIfThereAreFewerThanABatch) {
  const BatchSampler sampler = training_sampler(3, 16, 0);
  EXPECT_EQ(sampler.batches, 1);
  EXPECT_EQ(sampler.requests(0).size(), 3u);
  EXPECT_EQ(sampler.requests(5).front().epoch, 5);
  EXPECT_THROW(training_sampler(0, 16, 0), std::invalid_argument);
}

TEST(EvalPlan, KeepsClipsOfAFileTogetherAndTheLastPartialBatch) {
  const BatchSampler sampler = evaluation_sampler(std::vector<int64_t>{4, 6, 9}, 3, 4, false);
  EXPECT_EQ(sampler.batches, 3);
  std::vector<int64_t> indices, clips;
  for (int64_t batch = 0; batch < 3; ++batch) {
    for (const SampleRequest& request : sampler.requests(batch)) {
      indices.push_back(request.index);
      clips.push_back(request.clip);
      EXPECT_EQ(request.clips, 3);
      EXPECT_FALSE(request.spread);
    }
  }
  EXPECT_THAT(indices, ElementsAre(4, 4, 4, 6, 6, 6, 9, 9, 9));
  EXPECT_THAT(clips, ElementsAre(0, 1, 2, 0, 1, 2, 0, 1, 2));
  EXPECT_EQ(sampler.requests(2).size(), 1u);
}

TEST(LabelSubset, IsStratifiedNestedAndKeepsOneOfEachClass) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 110; ++i) labels.push_back(i % 11 == 0 ? 2 : i % 2);  // 50, 50, 10
  const auto tenth = label_subset(labels, 0.1, 1), fifth = label_subset(labels, 0.2, 1);
  std::vector<int> counts(3);
  for (const int64_t i : tenth) ++counts[labels[i]];
  EXPECT_THAT(counts, ElementsAre(5, 5, 1));
  EXPECT_EQ(fifth.size(), 22u);
  EXPECT_THAT(tenth, IsSubsetOf(fifth));
  EXPECT_TRUE(std::is_sorted(fifth.begin(), fifth.end()));
  EXPECT_EQ(label_subset(labels, 1e-6, 1).size(), 3u);
  EXPECT_EQ(label_subset(labels, 1, 1), all_indices(110));
  EXPECT_EQ(label_subset(labels, 0.1, 1), tenth);
  EXPECT_NE(label_subset(labels, 0.1, 2), tenth);
}

}  // namespace
}  // namespace avbench::data
