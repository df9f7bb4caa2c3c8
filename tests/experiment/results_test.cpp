// The JSON files that one stage writes and another reads: by the keys that docs/results.md names.
#include <gtest/gtest.h>

#include "experiment/run_folder.h"
#include "io/temp_folder.h"
#include "stages/finetune.h"
#include "stages/pretrain.h"
#include "train/stored_result.h"

namespace avbench::experiment {
namespace {

// As a run of the first version wrote it; no metric twice, none a default.
const io::Json kPretrained = io::Json::parse(R"({
 "chosen_epoch": 7, "clipped_share": 0.75, "clips_per_second": 21.084432109321, "collapse": "why",
 "diagnostics": {"alignment": 0.1}, "peak_memory_bytes": 418381824, "seconds": 12.5, "steps": 40, "waiting_share": 0.125})");
const io::Json kFinetuned = io::Json::parse(R"({
 "chosen_epoch": 7, "clips_per_second": 21.084432109321, "labels_train": 64,
 "labels_validation": 32, "peak_memory_bytes": 418381824, "seconds": 12.5, "steps": 40,
 "train_accuracy": 0.984375, "validation": 0.53125, "waiting_share": 0.125})");
const io::Json kTested = io::Json::parse(R"({
 "accuracy": 0.425, "clips": 10, "loss": 1.7320508075688772, "seconds": 12.5, "videos": 40})");

TEST(Results, OfPretrainingComeBackKeyByKey) {
  const auto got = io::read_fields<stages::PretrainResult>(kPretrained, "summary.json");
  EXPECT_EQ(got.steps, 40);
  EXPECT_EQ(got.seconds, 12.5);
  EXPECT_EQ(got.clips_per_second, 21.084432109321);
  EXPECT_EQ(got.waiting_share, 0.125);
  EXPECT_EQ(got.peak_memory_bytes, 418381824);
  EXPECT_EQ(got.chosen_epoch, 7);
  EXPECT_EQ(got.clipped_share, 0.75);
  EXPECT_EQ(got.collapse, "why");
  EXPECT_EQ(got.diagnostics, io::Json({{"alignment", 0.1}}));
  EXPECT_EQ(io::write_fields(got), kPretrained);
}

TEST(Results, OfFinetuningComeBackKeyByKey) {
  const auto got = io::read_fields<stages::FinetuneResult>(kFinetuned, "finetune.json");
  EXPECT_EQ(got.steps, 40);
  EXPECT_EQ(got.seconds, 12.5);
  EXPECT_EQ(got.clips_per_second, 21.084432109321);
  EXPECT_EQ(got.waiting_share, 0.125);
  EXPECT_EQ(got.peak_memory_bytes, 418381824);
  EXPECT_EQ(got.validation, 0.53125);
  EXPECT_EQ(got.chosen_epoch, 7);
  EXPECT_EQ(got.train_accuracy, 0.984375);
  EXPECT_EQ(got.labels_train, 64);
  EXPECT_EQ(got.labels_validation, 32);
  EXPECT_EQ(io::write_fields(got), kFinetuned);
}

TEST(Results, OfATestComeBackKeyByKey) {
  const auto got = io::read_fields<stages::TestResult>(kTested, "test.json");
  EXPECT_EQ(got.accuracy, 0.425);
  EXPECT_EQ(got.loss, 1.7320508075688772);
  EXPECT_EQ(got.videos, 40);
  EXPECT_EQ(got.clips, 10);
  EXPECT_EQ(got.seconds, 12.5);
  EXPECT_EQ(io::write_fields(got), kTested);
}

// Its checksum holds, so it was written so: by another version, or by hand.
TEST(Results, ThatLackAKeyAreMadeAgain) {
  const io::TempFolder folder;
  for (const auto& [key, value] : kFinetuned.items()) {
    io::Json less = kFinetuned;
    io::write_json(folder / "finetune.json", less);
    EXPECT_TRUE(train::read_result<stages::FinetuneResult>(folder / "finetune.json"));
    less.erase(key);
    io::write_json(folder / "finetune.json", less);
    testing::internal::CaptureStdout();
    EXPECT_FALSE(train::read_result<stages::FinetuneResult>(folder / "finetune.json"));
    const std::string said = testing::internal::GetCapturedStdout();
    EXPECT_NE(said.find("finetune.json: key '" + key + "' is missing"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace avbench::experiment
