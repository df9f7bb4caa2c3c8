#include "train/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "io/error.h"
#include "train/interrupt.h"
#include "train/seeds.h"

namespace avbench {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A small network with batch norm and dropout: state of every kind that must survive a break.
class ToyTask : public TrainTask {
 public:
  ToyTask() {
    seed_default_generator(3);
    net_->push_back("fc", torch::nn::Linear(4, 8));
    net_->push_back("bn", torch::nn::BatchNorm1d(8));
    net_->push_back("dropout", torch::nn::Dropout(0.5));
    net_->push_back("out", torch::nn::Linear(8, 1));
  }
  StateDict state() override { return module_state(*net_); }
  std::vector<ParamGroup> param_groups() override { return {{.parameters = net_->parameters()}}; }
  void set_training() override { net_->train(); }
  Loss loss(const LoadedBatch& batch, const StepContext& context) override {
    if (context.step == fail_at) throw std::runtime_error("killed");
    if (context.step == interrupt_at) std::raise(SIGINT);
    const Tensor noise = torch::rand({1}, context.random);
    const Tensor out = net_->forward(batch.batch.video.at(kBaseView));
    const Tensor loss = out.pow(2).mean() * (1 + noise.squeeze());
    if (context.step == nan_at) return {loss / 0 * 0};
    return {loss, {{"plain", loss.detach()}}};
  }
  EpochReport end_epoch(int64_t epoch) override {
    if (epoch == stop_at_end_of) throw Interrupted("validating");
    // Best in the middle.
    const double score =
        epoch == nan_score_at ? std::nan("") : -std::abs(static_cast<double>(epoch) - 2);
    return {.figures = {{"seen", epoch}}, .score = score};
  }
  std::string name_of(int64_t index) const override {
    return "class/file" + std::to_string(index) + ".mp4";
  }

  int64_t stop_at_end_of = -1, fail_at = -1, interrupt_at = -1, nan_at = -1, nan_score_at = -1;

 private:
  torch::nn::Sequential net_;
};

NextBatch toy_batches(int64_t first, int64_t) {
  auto step = std::make_shared<int64_t>(first);
  return [step] {
    LoadedBatch batch;
    batch.batch.video[kBaseView] =
        torch::randn({6, 4}, make_generator(derive_seed(9, "batch", (*step)++)));
    return batch;
  };
}

// Samples 100 to 105; two of step 7 are damaged.
NextBatch damaged_batches(int64_t first, int64_t count) {
  auto step = std::make_shared<int64_t>(first);
  return [step, next = toy_batches(first, count)] {
    LoadedBatch batch = next();
    batch.batch.index = torch::arange(100, 106);
    if ((*step)++ == 7) {
      batch.batch.video[kBaseView][1][2] = std::nan("");
      batch.batch.video[kBaseView][4][0] = INFINITY;
    }
    return batch;
  };
}

class Loop : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(testing::TempDir()) /
        (std::string("loop_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

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
            .schedule = {.name = "cosine", .warmup_epochs = 1}};
  }

  static std::string text(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  static void expect_equal(const StateDict& a, const StateDict& b) {
    ASSERT_EQ(a.size(), b.size());
    for (const auto& [name, tensor] : a) EXPECT_TRUE(torch::equal(tensor, b.at(name))) << name;
  }

  fs::path folder_;
};

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
      EXPECT_THROW(run_stage(task, broken, toy_batches), Interrupted);
    }
    ToyTask task;
    run_stage(task, broken, toy_batches);
    expect_equal(task.state(), unbroken.state());
    EXPECT_EQ(text(broken.folder / "metrics.jsonl"), text(folder_ / "whole/metrics.jsonl"));
  }
}

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

TEST_F(Loop, AFinishedStageIsNotTrainedAgain) {
  ToyTask first;
  run_stage(first, plan("run"), toy_batches);
  ToyTask second;
  second.fail_at = 0;
  const StageResult result = run_stage(second, plan("run"), toy_batches);
  EXPECT_EQ(result.steps, 20);
  expect_equal(second.state(), first.state());
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

// Of "final" alone: with a best of another epoch it would be refused at every attempt.
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
    Json less = final.state;
    less.erase(key);
    checkpoints.save("final", final.tensors, less);
    ToyTask second;
    EXPECT_THAT([&] { run_stage(second, plan("run"), toy_batches); },
                testing::ThrowsMessage<UserError>(testing::AllOf(
                    HasSubstr("checkpoints/final.json"), HasSubstr("'" + key + "' is missing"))));
  }
  checkpoints.save("final", final.tensors, final.state);
  ToyTask third;
  EXPECT_EQ(run_stage(third, plan("run"), toy_batches).best_epoch, 2);
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
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(Json::accept(line)) << line;
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

// A stage that is finished twice has not taken twice as long.
TEST_F(Loop, TheFinalCheckpointKnowsTheSecondsOfTheStage) {
  ToyTask task;
  const StageResult result = run_stage(task, plan("run"), toy_batches);
  const Checkpoint final = CheckpointFolder(folder_ / "run/checkpoints").load("final");
  EXPECT_GT(final.state.at("seconds"), 0.0);
  EXPECT_LE(final.state.at("seconds"), result.seconds);
}

// Last: the request stays set for the rest of the process.
TEST_F(Loop, CtrlCWritesACheckpointAndSaysHowToContinue) {
  install_interrupt_handler();
  ToyTask task;
  task.interrupt_at = 7;
  try {
    run_stage(task, plan("run"), toy_batches);
    FAIL() << "not interrupted";
  } catch (const Interrupted& stop) {
    EXPECT_THAT(stop.what(), HasSubstr("step 8 of 20"));
    EXPECT_THAT(stop.what(), HasSubstr("Run the same command again"));
  }
  EXPECT_TRUE(CheckpointFolder(folder_ / "run/checkpoints").has("step-000000008"));
}

}  // namespace
}  // namespace avbench
