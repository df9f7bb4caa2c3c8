#include "train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>

#include "avbench/batch.h"
#include "io/error.h"

namespace avbench::train {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Checkpoints : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(testing::TempDir()) /
            (std::string("checkpoints_") +
             testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(path_);
  }
  void TearDown() override { fs::remove_all(path_); }

  static void flip_byte(const fs::path& file, int64_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const char byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(at);
    stream.put(byte);
  }

  fs::path path_;
};

TEST_F(Checkpoints, GiveBackValuesAndState) {
  const CheckpointFolder folder(path_);
  const Tensor weight = torch::randn({2, 3, 1, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast3d);
  folder.save("final", {{"w", weight}, {"n", torch::tensor(7, torch::kLong)}}, {{"step", 3}});
  const Checkpoint got = folder.load("final");
  EXPECT_TRUE(torch::equal(got.tensors.at("w"), weight));
  EXPECT_EQ(got.tensors.at("n").item<int64_t>(), 7);
  EXPECT_EQ(got.state.at("step"), 3);
}

TEST_F(Checkpoints, KeepTheNewestTwoSteps) {
  const CheckpointFolder folder(path_);
  for (const int step : {5, 900, 1000}) folder.save_step(step, {{"w", torch::ones(1)}}, {});
  EXPECT_FALSE(folder.has("step-000000005"));
  EXPECT_TRUE(folder.has("step-000000900"));
  EXPECT_EQ(folder.latest_step()->file.filename(), "step-000001000.safetensors");
}

TEST_F(Checkpoints, TakeTheOneBeforeIfTheNewestIsDamaged) {
  const CheckpointFolder folder(path_);
  folder.save_step(1, {{"w", torch::ones(8)}}, {{"step", 1}});
  folder.save_step(2, {{"w", torch::ones(8)}}, {{"step", 2}});
  flip_byte(path_ / "step-000000002.safetensors", 80);
  EXPECT_EQ(folder.latest_step()->state.at("step"), 1);
  fs::resize_file(path_ / "step-000000001.safetensors", 20);
  EXPECT_FALSE(folder.latest_step().has_value());
}

TEST_F(Checkpoints, KeepAsManyStepsAsAskedFor) {
  const CheckpointFolder folder(path_, 3);
  for (const int step : {1, 2, 3, 4}) folder.save_step(step, {{"w", torch::ones(1)}}, {});
  EXPECT_FALSE(folder.has("step-000000001"));
  EXPECT_TRUE(folder.has("step-000000002"));
  folder.keep_steps(1);
  EXPECT_FALSE(folder.has("step-000000003"));
  EXPECT_TRUE(folder.has("step-000000004"));
}

TEST_F(Checkpoints, NoticeAFlippedBitOfTheState) {
  const CheckpointFolder folder(path_);
  folder.save("final", {{"w", torch::ones(8)}}, {{"step", 100}});
  std::ifstream in(path_ / "final.json");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text[text.find("100")] ^= 2;  // 300
  std::ofstream(path_ / "final.json") << text;
  EXPECT_FALSE(folder.find("final").has_value());
  EXPECT_THROW(folder.load("final"), io::UserError);
}

TEST_F(Checkpoints, AreNotTakenIfTheirRecordLacksAKeyOrKnowsAnotherSize) {
  const CheckpointFolder folder(path_);
  folder.save("final", {{"w", torch::ones(8)}}, {{"step", 100}});
  const io::Json whole = io::Json::parse(std::ifstream(path_ / "final.json"));
  const uint64_t bytes = fs::file_size(path_ / "final.safetensors");
  EXPECT_EQ(whole.at("bytes"), bytes);
  EXPECT_EQ(whole.at("file"), "final.safetensors");
  EXPECT_EQ(whole.size(), 5u);
  for (const auto& [key, value] : whole.items()) {
    io::Json less = whole;
    less.erase(key);
    std::ofstream(path_ / "final.json") << less;
    EXPECT_THAT([&] { folder.load("final"); }, testing::ThrowsMessage<io::UserError>(testing::AllOf(
                                                   HasSubstr((path_ / "final.json").string()),
                                                   HasSubstr("'" + key + "' is missing"))));
  }
  io::Json longer = whole;
  longer["bytes"] = bytes + 1;
  std::ofstream(path_ / "final.json") << longer;
  EXPECT_THAT(
      [&] { folder.load("final"); },
      testing::ThrowsMessage<io::UserError>(testing::AllOf(
          HasSubstr("final.safetensors"), HasSubstr("is " + std::to_string(bytes) + ", expected "),
          HasSubstr(std::to_string(bytes + 1)))));
  std::ofstream(path_ / "final.json") << whole;
  fs::remove(path_ / "final.safetensors");
  EXPECT_FALSE(folder.find("final"));
}

TEST_F(Checkpoints, RemoveWhatKilledProcessesLeft) {
  const CheckpointFolder folder(path_);
  folder.save("best", {{"w", torch::ones(8)}}, {});
  std::ofstream(path_ / "step-000000007.safetensors") << "no JSON yet";
  std::ofstream(path_ / ".final.safetensors.99-0.tmp") << "half";
  folder.remove_leftovers();
  EXPECT_FALSE(fs::exists(path_ / "step-000000007.safetensors"));
  EXPECT_FALSE(fs::exists(path_ / ".final.safetensors.99-0.tmp"));
  EXPECT_TRUE(folder.find("best").has_value());
}

TEST_F(Checkpoints, AreNotThereWithoutTheirJson) {
  const CheckpointFolder folder(path_);
  folder.save_step(1, {{"w", torch::ones(8)}}, {});
  fs::remove(path_ / "step-000000001.json");
  EXPECT_FALSE(folder.latest_step().has_value());
}

TEST_F(Checkpoints, DamageIsNamedWithFileGotAndExpected) {
  const CheckpointFolder folder(path_);
  folder.save("best", {{"w", torch::ones(8)}}, {});
  flip_byte(path_ / "best.safetensors", 80);
  try {
    folder.load("best");
    FAIL() << "not noticed";
  } catch (const io::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("best.safetensors"));
    EXPECT_THAT(error.what(), HasSubstr("expected"));
  }
}

TEST(CopyState, ListsWhatDoesNotFitAndCopiesNothing) {
  const tensors::StateDict target = {
      {"a", torch::zeros(2)}, {"b", torch::zeros(2)}, {"c", torch::zeros(1)}};
  const tensors::StateDict source = {
      {"a", torch::ones(2)}, {"b", torch::ones(3)}, {"x", torch::ones(1)}};
  try {
    tensors::copy_state(source, target, "file");
    FAIL() << "not refused";
  } catch (const io::UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing: c"));
    EXPECT_THAT(error.what(), HasSubstr("unexpected: x"));
    EXPECT_THAT(error.what(), HasSubstr("b (got Float [3], expected Float [2])"));
  }
  EXPECT_EQ(target.at("a").sum().item<double>(), 0);
}

TEST(CopyState, KeepsTheMemoryLayoutOfTheTarget) {
  const Tensor values = torch::randn({2, 3, 2, 2, 2});
  const Tensor target = torch::zeros({2, 3, 2, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast3d);
  tensors::copy_state({{"w", values}}, {{"w", target}}, "file");
  EXPECT_TRUE(torch::equal(target, values));
  EXPECT_TRUE(target.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

}  // namespace
}  // namespace avbench::train
