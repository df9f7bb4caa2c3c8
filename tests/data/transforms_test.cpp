// What happens to a clip's pixels after the crop, and where clips may lie.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/fixtures.h"
#include "data/loader.h"

namespace avbench::data {
namespace {

using testing::ElementsAre;

using Pixel = std::array<float, 3>;

Pixel changed(const ColourJitter& jitter, Pixel pixel) {
  recolour(jitter, pixel);
  return pixel;
}

void expect_near(const Pixel& got, const Pixel& expected) {
  for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(got[c], expected[c], 1e-5) << "channel " << c;
}

TEST(ColourJitter, TurnsTheHueAsPythonsColorsysDoes) {
  // colorsys.hsv_to_rgb((h + turns) % 1, s, v) of colorsys.rgb_to_hsv(*pixel)
  expect_near(changed({.hue = 0.25f}, {0.2f, 0.5f, 0.9f}), {0.9f, 0.2f, 0.85f});
  expect_near(changed({.hue = -0.4f}, {0.9f, 0.1f, 0.4f}), {0.1f, 0.72f, 0.9f});
  expect_near(changed({.hue = 0.5f}, {0.3f, 0.8f, 0.3f}), {0.8f, 0.3f, 0.8f});
  expect_near(changed({.hue = 0.1f}, {0.6f, 0.6f, 0.1f}), {0.3f, 0.6f, 0.1f});
  expect_near(changed({.hue = 0.3f}, {0.7f, 0.7f, 0.7f}), {0.7f, 0.7f, 0.7f});
}

TEST(ColourJitter, BlendsWithBlackAndWithEachPixelsGrey) {
  expect_near(changed({.brightness = 1.5f}, {0.2f, 0.5f, 0.9f}), {0.3f, 0.75f, 1});
  // grey 0.2989 * 0.2 + 0.587 * 0.5 + 0.114 * 0.9 = 0.45588
  expect_near(changed({.saturation = 0.5f}, {0.2f, 0.5f, 0.9f}), {0.32794f, 0.47794f, 0.67794f});
  expect_near(changed({.saturation = 0}, {0.2f, 0.5f, 0.9f}), {0.45588f, 0.45588f, 0.45588f});
  expect_near(changed({.saturation = 3}, {0.2f, 0.5f, 0.9f}), {0, 0.58824f, 1});
}

TEST(ColourJitter, ContrastIsAroundTheMeanGreyOfTheFrame) {
  std::array<float, 6> frame{0, 0, 0, 1, 1, 1};  // mean grey 0.9999 / 2
  recolour({.contrast = 0.5f}, frame);
  EXPECT_THAT(frame, testing::Each(testing::AnyOf(testing::FloatNear(0.249975f, 1e-6f),
                                                  testing::FloatNear(0.749975f, 1e-6f))));
  EXPECT_LT(frame[0], frame[5]);
}

TEST(ColourJitter, GoesThroughItsStepsInOrder) {
  using enum JitterStep;
  const Pixel pixel{0.2f, 0.5f, 0.9f};
  const ColourJitter first{
      .brightness = 1.5f, .saturation = 0, .order = {kBrightness, kContrast, kSaturation, kHue}};
  const ColourJitter last{
      .brightness = 1.5f, .saturation = 0, .order = {kSaturation, kContrast, kBrightness, kHue}};
  const float grey = 0.2989f * 0.3f + 0.587f * 0.75f + 0.114f;  // of what was clipped
  expect_near(changed(first, pixel), {grey, grey, grey});
  expect_near(changed(last, pixel), {0.68382f, 0.68382f, 0.68382f});
}

class Transforms : public testing::Test {
 protected:
  Transforms() { folder_.write_good_files(); }

  std::shared_ptr<const Dataset> open(const config::ClipConfig& clip,
                                      int64_t cache_mib = 64) const {
    return Dataset::open({.source = folder_.source().string()}, clip, small_spectrogram(),
                         {.cache_mib = cache_mib});
  }

  Tensor video(const config::ClipConfig& clip, const std::vector<SampleRequest>& requests,
               int64_t cache_mib = 64) const {
    return load_batch(*open(clip, cache_mib), Split::kTrain, base_views(), requests)
        .batch.video.at(kBaseView);
  }

  DataFolder folder_;
};

TEST_F(Transforms, MirroringTurnsTheWholeClipAround) {
  config::ClipConfig mirrored = small_clip();
  mirrored.flip = 1;
  const auto requests = training_sampler(6, 6, 4).requests(0);
  const Tensor plain = video(small_clip(), requests);
  EXPECT_TRUE(at::equal(video(mirrored, requests), plain.flip(4)));
  const std::vector<SampleRequest> tested{{.index = 1, .clip = 0, .clips = 1}};
  EXPECT_TRUE(at::equal(video(mirrored, tested), video(small_clip(), tested)));
}

TEST_F(Transforms, NormalisationIsOfTrainingAndTest) {
  config::ClipConfig normalised = small_clip();
  normalised.mean = {0.4, 0.5, 0.6};
  normalised.std = {0.2, 0.25, 2};
  for (const SampleRequest& request :
       {SampleRequest{.index = 2, .seed = 9}, SampleRequest{.index = 2, .clip = 1, .clips = 3}}) {
    const Tensor plain = video(small_clip(), {request}).to(at::kDouble);
    const Tensor got = video(normalised, {request});
    const Tensor mean = at::tensor({0.4, 0.5, 0.6}).view({1, 3, 1, 1, 1});
    const Tensor std = at::tensor({0.2, 0.25, 2.0}).view({1, 3, 1, 1, 1});
    EXPECT_TRUE(at::allclose(got.to(at::kDouble), (plain - mean) / std, 1e-5, 1e-5));
  }
}

TEST_F(Transforms, JitterIsOneDrawForAllFramesOfAClip) {
  config::ClipConfig jittered = small_clip();
  jittered.jitter = {.brightness = 0.3};
  const auto requests = training_sampler(6, 6, 4).requests(0);
  const Tensor plain = video(small_clip(), requests), got = video(jittered, requests);
  for (int64_t row = 0; row < 6; ++row) {
    const auto draw = draw_jitter(requests[row], {}, jittered.jitter);
    ASSERT_TRUE(draw);
    EXPECT_TRUE(at::allclose(got[row], (plain[row] * draw->brightness).clamp(0, 1), 1e-5, 1e-6));
  }
}

TEST_F(Transforms, ThreeCropsOfAClipShowItsLeftItsMiddleAndItsRight) {
  config::ClipConfig whole = small_clip();
  whole.resize = {16, 32};
  whole.crop = 16;
  std::vector<SampleRequest> requests;
  for (int64_t clip = 0; clip < 2; ++clip) {
    for (int64_t crop = 0; crop < 3; ++crop) {
      requests.push_back({.index = 3, .clip = clip, .clips = 2, .crop = crop, .crops = 3});
    }
  }
  for (const int64_t cache_mib : {0, 64}) {
    const Tensor crops = video(whole, requests, cache_mib);
    for (int64_t clip = 0; clip < 2; ++clip) {
      const Tensor left = crops[3 * clip], middle = crops[3 * clip + 1],
                   right = crops[3 * clip + 2];
      EXPECT_TRUE(at::equal(middle.slice(3, 0, 8), left.slice(3, 8, 16)));
      EXPECT_TRUE(at::equal(middle.slice(3, 8, 16), right.slice(3, 0, 8)));
      EXPECT_FALSE(at::equal(left, right));
    }
    EXPECT_FALSE(at::equal(crops[0], crops[3]));
  }
}

// 12 frames a second, a clip spans 11.
TEST_F(Transforms, ClipsBeginWithASecondIfConfigured) {
  config::ClipConfig clip = small_clip();
  clip.start = config::ClipConfig::Start::kSecond;
  write_movie(folder_ / "train/drum/long.mp4", {.frames = 49});
  write_text(folder_.source().parent_path() / "parts.csv",
             "path,label,split,start,end\n"
             "source/train/drum/long.mp4,drum,train,0.5,\n"
             "source/train/bell/f0.mp4,bell,train,,\n"
             "source/val/drum/v.mp4,drum,val,,\n");
  const auto parts =
      Dataset::open({.source = (folder_.source().parent_path() / "parts.csv").string()}, clip,
                    small_spectrogram(), {.cache_mib = 0});
  ASSERT_EQ(parts->size(Split::kTrain), 2);
  for (const Sample& sample : parts->samples(Split::kTrain)) {
    if (sample.path.filename() == "long.mp4") {
      EXPECT_EQ(sample.frames, 43);  // from frame 6 on
      EXPECT_THAT(sample.starts, ElementsAre(0, 12, 24));
    } else {
      EXPECT_THAT(sample.starts, ElementsAre(0));  // of 20 frames
    }
  }
  // The second second, by a clip that starts there.
  const SampleRequest request{.index = 0, .clip = 1, .clips = 3};
  const auto dataset = open(clip, 0);
  for (int64_t index = 0; index < dataset->size(Split::kTrain); ++index) {
    const Sample& sample = dataset->sample(Split::kTrain, index);
    if (sample.path.filename() != "long.mp4") continue;
    EXPECT_THAT(sample.starts, ElementsAre(0, 12, 24, 36));
    SampleRequest last = request;
    last.index = index;
    last.clip = 2;
    // Of all possible starts, 0 to 38, number 36 of linspace(0, 38, 39).
    SampleRequest same = last;
    same.clip = 36;
    same.clips = 39;
    EXPECT_TRUE(at::equal(video(clip, {last}, 0), video(small_clip(), {same}, 0)));
  }
}

}  // namespace
}  // namespace avbench::data
