#include "train/random_batch.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tensors/seeds.h"

namespace avbench::train {
namespace {

constexpr SampleShape kShape{.video = {3, 4, 6, 5}, .audio = {1, 1, 8, 7}};

Views three_views() {
  Views views = base_views();
  views.push_back({"second", Modality::kVideo, ViewTime::kIndependent});
  return views;
}

TEST(RandomBatch, HasEveryViewInTheLayoutOfTheLoader) {
  const Batch batch = random_batch(three_views(), 2, kShape, tensors::make_generator(1));
  ASSERT_EQ(batch.video.size(), 2u);
  ASSERT_EQ(batch.audio.size(), 1u);
  EXPECT_EQ(batch.video.at(kBaseView).sizes(), (std::vector<int64_t>{2, 3, 4, 6, 5}));
  EXPECT_EQ(batch.video.at("second").sizes(), (std::vector<int64_t>{2, 3, 4, 6, 5}));
  EXPECT_EQ(batch.audio.at(kBaseView).sizes(), (std::vector<int64_t>{2, 1, 1, 8, 7}));
  for (const auto* views : {&batch.video, &batch.audio}) {
    for (const auto& [name, tensor] : *views) {
      EXPECT_TRUE(tensor.is_contiguous(at::MemoryFormat::ChannelsLast3d)) << name;
      EXPECT_GE(tensor.min().item<double>(), 0);
      EXPECT_LT(tensor.max().item<double>(), 1);
    }
  }
  EXPECT_TRUE(torch::equal(batch.index, torch::arange(2)));
}

TEST(RandomBatch, DrawsViewAfterViewFromTheGenerator) {
  const Batch batch = random_batch(base_views(), 2, kShape, tensors::make_generator(1));
  const at::Generator generator = tensors::make_generator(1);
  EXPECT_TRUE(torch::equal(batch.video.at(kBaseView), torch::rand({2, 3, 4, 6, 5}, generator)));
  EXPECT_TRUE(torch::equal(batch.audio.at(kBaseView), torch::rand({2, 1, 1, 8, 7}, generator)));
}

TEST(BatchOf, AsksForEveryViewOnceInItsOrder) {
  std::vector<std::string> asked;
  const Batch batch = batch_of(three_views(), torch::tensor({7, 3}), [&](const ViewSpec& view) {
    asked.push_back(view.name + (view.modality == Modality::kVideo ? " video" : " audio"));
    return torch::full({2, 3, 1, 2, 2}, static_cast<double>(asked.size()));
  });
  EXPECT_EQ(asked, (std::vector<std::string>{"base video", "base audio", "second video"}));
  EXPECT_EQ(batch.audio.at(kBaseView)[0][0][0][0][0].item<double>(), 2);
  EXPECT_EQ(batch.video.at("second")[1][2][0][1][1].item<double>(), 3);
  EXPECT_TRUE(torch::equal(batch.index, torch::tensor({7, 3})));
}

}  // namespace
}  // namespace avbench::train
