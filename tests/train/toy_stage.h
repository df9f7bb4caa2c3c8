// A stage of four epochs of five steps, for the tests of the loop and of its checkpoints.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "runtime/interrupt.h"
#include "tensors/seeds.h"
#include "train/loop.h"

namespace avbench::train {

// A small network with batch norm and dropout: state of every kind that must survive a break.
class ToyTask : public TrainTask {
 public:
  ToyTask() {
    tensors::seed_default_generator(3);
    net_->push_back("fc", torch::nn::Linear(4, 8));
    net_->push_back("bn", torch::nn::BatchNorm1d(8));
    net_->push_back("dropout", torch::nn::Dropout(0.5));
    net_->push_back("out", torch::nn::Linear(8, 1));
  }
  tensors::StateDict state() override { return tensors::module_state(*net_); }
  std::vector<ParamGroup> param_groups() override { return {{.parameters = net_->parameters()}}; }
  void set_training() override { net_->train(); }
  Loss loss(const data::LoadedBatch& batch, const StepContext& context) override {
    if (context.step == fail_at) throw std::runtime_error("killed");
    if (context.step == interrupt_at) std::raise(SIGINT);
    const Tensor noise = torch::rand({1}, context.random);
    const Tensor out = net_->forward(batch.batch.video.at(kBaseView));
    const Tensor loss = out.pow(2).mean() * (1 + noise.squeeze());
    if (context.step == nan_at) return {loss / 0 * 0};
    return {loss, {{"plain", loss.detach()}}};
  }
  EpochReport end_epoch(int64_t epoch) override {
    if (epoch == stop_at_end_of) throw runtime::Interrupted("validating");
    // Best in the middle.
    const double score =
        epoch == nan_score_at ? std::nan("") : -std::abs(static_cast<double>(epoch) - 2);
    return {.metrics = {{"seen", epoch}}, .score = score};
  }
  std::string name_of(int64_t index) const override {
    return "class/file" + std::to_string(index) + ".mp4";
  }

  int64_t stop_at_end_of = -1, fail_at = -1, interrupt_at = -1, nan_at = -1, nan_score_at = -1;

 private:
  torch::nn::Sequential net_;
};

inline NextBatch toy_batches(int64_t first, int64_t) {
  auto step = std::make_shared<int64_t>(first);
  return [step] {
    data::LoadedBatch batch;
    batch.batch.video[kBaseView] =
        torch::randn({6, 4}, tensors::make_generator(tensors::derive_seed(9, "batch", (*step)++)));
    return batch;
  };
}

class Loop : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("loop_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  StagePlan plan(const std::string& name) const {
    return {.title = "toy",
            .folder = folder_ / name,
            .seed = 5,
            .epochs = 4,
            .steps_per_epoch = 5,
            .batch_size = 6,
            .clip_norm = 1,
            .checkpoint_every = 3,
            .optimizer = {.lr = 0.05},
            .schedule = {.name = config::ScheduleConfig::Name::kCosine, .warmup_epochs = 1}};
  }

  static std::string text(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  static void expect_equal(const tensors::StateDict& a, const tensors::StateDict& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_TRUE(torch::equal(tensor, b.at(name))) << name;
  }

  std::filesystem::path folder_;
};

}  // namespace avbench::train
