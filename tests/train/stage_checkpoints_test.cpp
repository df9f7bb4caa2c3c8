// The checkpoints of a stage, in the hands of its loop.
#include "train/stage_checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "io/error.h"
#include "train/toy_stage.h"

namespace avbench::train {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST_F(Loop, KeepsTheBestEpochAndTheLast) {
  ToyTask task;
  const StageResult result = run_stage(task, plan("run"), toy_batches);
  EXPECT_EQ(result.best_epoch, 2);
  EXPECT_EQ(result.steps, 20);
  const CheckpointFolder checkpoints(folder_ / "run/checkpoints");
  EXPECT_EQ(checkpoints.load("best").state.at("epoch"), 2);
  expect_equal(checkpoints.load("final").tensors, task.state());
  EXPECT_EQ(checkpoints.latest_step()->state.at("step"), 18);  // one, should final be damaged
  EXPECT_FALSE(checkpoints.has("step-000000015"));
}

void cut(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }

TEST_F(Loop, ADamagedFinalCheckpointIsMadeAgainFromTheStepBefore) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  const fs::path final = folder_ / "run/checkpoints/final.safetensors";
  const std::string whole = text(final), metrics = text(folder_ / "run/metrics.jsonl");
  cut(final);
  ToyTask second;
  second.fail_at = 17;  // does not begin before step 18
  run_stage(second, plan("run"), toy_batches);
  EXPECT_EQ(text(final), whole);
  EXPECT_EQ(text(folder_ / "run/metrics.jsonl"), metrics);
}

TEST_F(Loop, ADamagedBestCheckpointIsNeverUsedButMadeAgain) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  const fs::path best = folder_ / "run/checkpoints/best.safetensors";
  const std::string whole = text(best);
  cut(best);
  ToyTask second;
  const StageResult result = run_stage(second, plan("run"), toy_batches);
  EXPECT_EQ(text(best), whole);
  EXPECT_EQ(result.best_epoch, 2);
  expect_equal(second.state(), first.state());
}

// Killed while `best` was being written, begun again, and killed once more after it was made again:
// what was passed over would fit it, but not the log.
TEST_F(Loop, CheckpointsThatWerePassedOverAreForgotten) {
  ToyTask unbroken;
  run_stage(unbroken, plan("whole"), toy_batches);
  ToyTask first;
  first.fail_at = 17;
  EXPECT_THROW(run_stage(first, plan("broken"), toy_batches), std::runtime_error);
  cut(folder_ / "broken/checkpoints/best.safetensors");
  ToyTask second;
  second.fail_at = 11;  // epoch 2, the best, ended at step 10
  EXPECT_THROW(run_stage(second, plan("broken"), toy_batches), std::runtime_error);
  ToyTask third;
  run_stage(third, plan("broken"), toy_batches);
  expect_equal(third.state(), unbroken.state());
  EXPECT_EQ(text(folder_ / "broken/metrics.jsonl"), text(folder_ / "whole/metrics.jsonl"));
}

// The same after the stage had ended.
TEST_F(Loop, AFinalCheckpointThatWasPassedOverIsForgotten) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  const std::string metrics = text(folder_ / "run/metrics.jsonl");
  cut(folder_ / "run/checkpoints/best.safetensors");
  ToyTask second;
  second.fail_at = 11;
  EXPECT_THROW(run_stage(second, plan("run"), toy_batches), std::runtime_error);
  ToyTask third;
  run_stage(third, plan("run"), toy_batches);
  EXPECT_EQ(text(folder_ / "run/metrics.jsonl"), metrics);
}

// Killed after `best` was written and before the next step checkpoint.
TEST_F(Loop, ABestNewerThanTheCheckpointIsWrittenAgain) {
  ToyTask unbroken;
  run_stage(unbroken, plan("whole"), toy_batches);
  StagePlan broken = plan("broken");
  broken.checkpoint_every = 7;
  ToyTask task;
  task.fail_at = 11;  // epoch 2 ended at step 10, the checkpoint is of step 7
  EXPECT_THROW(run_stage(task, broken, toy_batches), std::runtime_error);
  ToyTask rest;
  run_stage(rest, broken, toy_batches);
  EXPECT_EQ(text(folder_ / "broken/checkpoints/best.safetensors"),
            text(folder_ / "whole/checkpoints/best.safetensors"));
}

// That holds for "final" alone: with a best of another epoch it would be refused at every attempt.
TEST_F(Loop, AFinalCheckpointWhoseBestIsAnothersIsNotContinued) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  const CheckpointFolder checkpoints(folder_ / "run/checkpoints");
  const Checkpoint best = checkpoints.load("best");
  checkpoints.save("best", best.tensors, {{"epoch", 3}, {"score", 0}});
  ToyTask second;
  EXPECT_THROW(run_stage(second, plan("run"), toy_batches), std::runtime_error);
  ToyTask third;
  EXPECT_EQ(run_stage(third, plan("run"), toy_batches).best_epoch, 2);
  EXPECT_EQ(checkpoints.load("best").state.at("epoch"), 2);
  expect_equal(checkpoints.load("best").tensors, best.tensors);
  expect_equal(third.state(), first.state());
}

// Its checksum holds: no damage, but not this program's. Trained anew, it would be overwritten.
TEST_F(Loop, AStateThatLacksAKeyStopsTheStageAndIsNamed) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  const CheckpointFolder checkpoints(folder_ / "run/checkpoints");
  const Checkpoint final = checkpoints.load("final");
  EXPECT_EQ(final.state.size(), 13u);
  for (const auto& [key, value] : final.state.items()) {
    io::Json less = final.state;
    less.erase(key);
    checkpoints.save("final", final.tensors, less);
    ToyTask second;
    EXPECT_THAT([&] { run_stage(second, plan("run"), toy_batches); },
                testing::ThrowsMessage<io::UserError>(testing::AllOf(
                    HasSubstr("checkpoints/final.json"), HasSubstr("'" + key + "' is missing"))));
  }
  checkpoints.save("final", final.tensors, final.state);
  ToyTask third;
  EXPECT_EQ(run_stage(third, plan("run"), toy_batches).best_epoch, 2);
}

TEST_F(Loop, SaysWhatIsKeptWhenNoCheckpointCanBeWritten) {
  ToyTask task;
  StagePlan stage = plan("run");
  task.fail_at = 7;
  EXPECT_THROW(run_stage(task, stage, toy_batches), std::runtime_error);
  // A folder under the name of the next checkpoint: as unwritable as a full disk, for root too.
  fs::create_directories(folder_ / "run/checkpoints/step-000000009.safetensors/x");
  task.fail_at = -1;
  EXPECT_THAT([&] { run_stage(task, stage, toy_batches); },
              testing::ThrowsMessage<std::runtime_error>(testing::AllOf(
                  HasSubstr("no checkpoint could be written at step 9"), HasSubstr("the newest is"),
                  HasSubstr("step-000000006.safetensors"))));
}

// A stage that is finished twice has not taken twice as long.
TEST_F(Loop, TheFinalCheckpointKnowsTheSecondsOfTheStage) {
  ToyTask task;
  const StageResult result = run_stage(task, plan("run"), toy_batches);
  const Checkpoint final = CheckpointFolder(folder_ / "run/checkpoints").load("final");
  EXPECT_GT(final.state.at("seconds"), 0.0);
  EXPECT_LE(final.state.at("seconds"), result.seconds);
}

// Last of all that run a stage: the request stays set for the rest of the process.
TEST_F(Loop, CtrlCWritesACheckpointAndSaysHowToContinue) {
  runtime::install_interrupt_handler();
  ToyTask task;
  task.interrupt_at = 7;
  try {
    run_stage(task, plan("run"), toy_batches);
    FAIL() << "not interrupted";
  } catch (const runtime::Interrupted& stop) {
    EXPECT_THAT(stop.what(), HasSubstr("step 8 of 20"));
    EXPECT_THAT(stop.what(), HasSubstr("Run the same command again"));
  }
  EXPECT_TRUE(CheckpointFolder(folder_ / "run/checkpoints").has("step-000000008"));
}

}  // namespace
}  // namespace avbench::train
