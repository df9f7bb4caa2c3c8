#include "train/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <fstream>

#include "train/checkpoint.h"
#include "train/toy_stage.h"

namespace avbench::train {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Samples 100 to 105; two of step 7 are damaged.
NextBatch damaged_batches(int64_t first, int64_t count) {
  auto step = std::make_shared<int64_t>(first);
  return [step, next = toy_batches(first, count)] {
    data::LoadedBatch batch = next();
    batch.batch.index = torch::arange(100, 106);
    if ((*step)++ == 7) {
      batch.batch.video[kBaseView][1][2] = std::nan("");
      batch.batch.video[kBaseView][4][0] = INFINITY;
    }
    return batch;
  };
}

TEST_F(Loop, AProbeTellsWhatACheckpointHoldsAndWritesNothing) {
  ToyTask task;
  const StepCost cost = probe_stage(task, plan("probed"), toy_batches);
  EXPECT_GT(cost.seconds, 0);
  // 4x8 + 8 weights and biases, batch norm's 4x8 and a count in 8 bytes, 8 + 1: in 4 bytes each.
  EXPECT_EQ(cost.model_bytes, 4 * (40 + 32 + 9) + 8);
  EXPECT_EQ(cost.optimizer_bytes, 4 * (40 + 16 + 9));  // momentum of each parameter
  EXPECT_FALSE(fs::exists(folder_));
  StagePlan single = plan("probed");
  single.epochs = single.steps_per_epoch = 1;
  EXPECT_GT(probe_stage(task, single, toy_batches).seconds, 0);
}

TEST_F(Loop, ABrokenRunEndsBitEqualToAnUnbrokenOne) {
  ToyTask unbroken;
  const StageResult whole = run_stage(unbroken, plan("whole"), toy_batches);
  for (const int64_t at : {1, 4, 7, 10, 14, 19}) {
    const StagePlan broken = plan("broken" + std::to_string(at));
    {
      ToyTask task;
      task.fail_at = at;
      EXPECT_THROW(run_stage(task, broken, toy_batches), std::runtime_error);
    }
    ToyTask task;
    const StageResult result = run_stage(task, broken, toy_batches);
    expect_equal(task.state(), unbroken.state());
    EXPECT_EQ(result.best_epoch, whole.best_epoch);
    EXPECT_EQ(text(broken.folder / "metrics.jsonl"), text(folder_ / "whole/metrics.jsonl")) << at;
    expect_equal(CheckpointFolder(broken.folder / "checkpoints").load("best").tensors,
                 CheckpointFolder(folder_ / "whole/checkpoints").load("best").tensors);
  }
}

TEST_F(Loop, AnInterruptedValidationIsDoneAgain) {
  ToyTask unbroken;
  run_stage(unbroken, plan("whole"), toy_batches);
  for (const int64_t epoch : {1, 4}) {
    const StagePlan broken = plan("broken" + std::to_string(epoch));
    {
      ToyTask task;
      task.stop_at_end_of = epoch;
      EXPECT_THROW(run_stage(task, broken, toy_batches), runtime::Interrupted);
    }
    ToyTask task;
    run_stage(task, broken, toy_batches);
    expect_equal(task.state(), unbroken.state());
    EXPECT_EQ(text(broken.folder / "metrics.jsonl"), text(folder_ / "whole/metrics.jsonl"));
  }
}

TEST_F(Loop, AFinishedStageIsNotTrainedAgain) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  ToyTask second;
  second.fail_at = 0;
  const StageResult result = run_stage(second, plan("run"), toy_batches);
  EXPECT_EQ(result.steps, 20);
  expect_equal(second.state(), first.state());
}

TEST_F(Loop, AMetricsLogThatLacksLinesIsSaidAndGoesOnWithWholeLines) {
  ToyTask unbroken;
  run_stage(unbroken, plan("whole"), toy_batches);
  ToyTask task;
  task.fail_at = 14;
  EXPECT_THROW(run_stage(task, plan("run"), toy_batches), std::runtime_error);
  const fs::path log = folder_ / "run/metrics.jsonl";
  const uint64_t bytes = text(log).find("\"step\":9");
  fs::resize_file(log, bytes);  // within a line
  testing::internal::CaptureStdout();
  ToyTask rest;
  run_stage(rest, plan("run"), toy_batches);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("lines of earlier steps are missing"));
  expect_equal(rest.state(), unbroken.state());
  std::ifstream lines(log);
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(io::Json::accept(line)) << line;
}

TEST_F(Loop, ALossThatIsNotFiniteNamesStepMethodAndCheckpoint) {
  ToyTask task;
  task.nan_at = 7;
  try {
    run_stage(task, plan("run"), toy_batches);
    FAIL() << "went on";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("toy: the loss is"));
    EXPECT_THAT(error.what(), HasSubstr("at step 7"));
    EXPECT_THAT(error.what(), HasSubstr("step-000000006.safetensors"));
    EXPECT_THAT(error.what(), HasSubstr("a lower learning rate"));
  }
}

TEST_F(Loop, ABatchThatIsNotFiniteIsBlamedByItsSamplesAndTheLearningRateIsNot) {
  ToyTask task;
  try {
    run_stage(task, plan("run"), damaged_batches);
    FAIL() << "went on";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("toy: the loss is"));
    EXPECT_THAT(error.what(), HasSubstr("at step 7"));
    EXPECT_THAT(error.what(), HasSubstr("of class/file101.mp4, class/file104.mp4 are not finite"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("learning rate")));
  }
}

// Nothing is better or worse than NaN: once the best, it would stay it.
TEST_F(Loop, AScoreThatIsNotFiniteStopsTheStageAndIsNoBest) {
  ToyTask task;
  task.nan_score_at = 1;
  EXPECT_THAT([&] { run_stage(task, plan("run"), toy_batches); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr("score is nan after epoch 1")));
  EXPECT_FALSE(CheckpointFolder(folder_ / "run/checkpoints").has("best"));
  task.nan_score_at = 3;
  EXPECT_THROW(run_stage(task, plan("run"), toy_batches), std::runtime_error);
  const Checkpoint best = CheckpointFolder(folder_ / "run/checkpoints").load("best");
  EXPECT_EQ(best.state.at("epoch"), 2);
}

}  // namespace
}  // namespace avbench::train
