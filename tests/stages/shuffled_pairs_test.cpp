#include "stages/shuffled_pairs.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace avbench::stages {
namespace {

// Sample i has the value i everywhere in its video, and 10 i in its audio.
Batch numbered(int64_t count) {
  const Tensor number = at::arange(count, at::kFloat).view({-1, 1, 1, 1, 1});
  const auto clips = [&](double factor, int64_t frames) {
    return (factor * number)
        .expand({count, 3, frames, 4, 4})
        .contiguous(at::MemoryFormat::ChannelsLast3d);
  };
  return {{{"base", clips(1, 2)}, {"second", clips(1, 2)}},
          {{"base", clips(10, 1)}, {"second", clips(10, 1)}},
          at::arange(count)};
}

TEST(ShuffledPairs, EveryVideoMeetsTheAudioOfOneOtherSampleInAllViews) {
  constexpr int64_t kCount = 5;
  const Batch own = numbered(kCount), other = with_other_audio(own);
  EXPECT_TRUE(at::equal(other.index, own.index));
  for (const char* view : {"base", "second"}) {
    EXPECT_TRUE(at::equal(other.video.at(view), own.video.at(view)));
    EXPECT_TRUE(other.audio.at(view).is_contiguous(at::MemoryFormat::ChannelsLast3d));
  }
  std::vector<int64_t> heard;
  for (int64_t i = 0; i < kCount; ++i) {
    const Tensor audio = other.audio.at("base")[i];
    const auto from = static_cast<int64_t>(audio.max().item<float>() / 10);
    EXPECT_TRUE(at::equal(audio, own.audio.at("base")[from]));
    EXPECT_TRUE(at::equal(other.audio.at("second")[i], own.audio.at("second")[from]));
    EXPECT_NE(from, i);
    heard.push_back(from);
  }
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (std::vector<int64_t>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace avbench::stages
