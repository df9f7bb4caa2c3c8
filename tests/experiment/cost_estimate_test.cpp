#include "experiment/cost_estimate.h"

#include <gtest/gtest.h>

#include "data/fixtures.h"

namespace avbench::experiment {
namespace {

// 8 training and 1 validation file; a test split there is not.
class WorkloadOfARow : public testing::Test {
 protected:
  WorkloadOfARow() {
    folder_.write_good_files(4);
    const auto data = folder_.open(0);
    data_ = {data, data};
    row_.method = "m";
    config::ProtocolConfig& p = row_.protocol;
    p.pretrain = {.epochs = 3, .batch_size = 3};
    p.finetune.epochs = 5;
    p.finetune.batch_size = 4;
    p.finetune.validate_every = 2;
    p.batch_norm.samples = 6;
  }
  Workload work() const { return workload(row_, data_, 0); }

  data::DataFolder folder_;
  RowDatasets data_;
  config::RowConfig row_;
};

TEST_F(WorkloadOfARow, CountsStepsAndClips) {
  const Workload w = work();
  EXPECT_EQ(w.pretrain_steps, 3 * 2);  // the partial batch is dropped
  EXPECT_EQ(w.pretrain_clips, 3 * 1);
  EXPECT_EQ(w.labels, 8);
  EXPECT_EQ(w.finetune_steps, 5 * 2);
  EXPECT_EQ(w.finetune_clips, 3 * (1 + 6) + 8 + 1);  // validated after epochs 2, 4 and 5
  EXPECT_EQ(w.test_clips, 0);
}

TEST_F(WorkloadOfARow, CountsWhatTheChoiceByNeighboursLooksAt) {
  row_.protocol.pretrain.select = config::PretrainConfig::Select::kKnn;
  row_.protocol.pretrain.validate_every = 2;
  EXPECT_EQ(work().pretrain_clips, 2 * (1 + 8 + 1));  // after epochs 2 and 3
  EXPECT_EQ(work().pretrain_finals, 2);
}

TEST_F(WorkloadOfARow, HasNoPretrainingIfTheRowHasNone) {
  row_.pretrained = false;
  EXPECT_EQ(work().pretrain_steps, 0);
  row_ = {.baseline = config::RowConfig::Baseline::kBoth, .protocol = row_.protocol};
  EXPECT_EQ(work().pretrain_steps, 0);
  EXPECT_EQ(work().finetune_steps, 10);
}

TEST_F(WorkloadOfARow, OfFixedTowersTakesTheStatisticsOnce) {
  row_.protocol.finetune.scope = config::FinetuneConfig::Scope::kFrozen;
  EXPECT_EQ(work().finetune_clips, 2 * 6 + 3 * 1 + 8 + 1);
  row_.protocol.batch_norm.reestimate = false;
  EXPECT_EQ(work().finetune_clips, 6 + 3 * 1 + 8 + 1);
}

TEST(Estimate, IsStepsTimesTheirCostAndCheckpointsTimesTheirSize) {
  const Workload work{.pretrain_steps = 1000,
                      .pretrain_clips = 50,
                      .finetune_steps = 100,
                      .finetune_clips = 300,
                      .test_clips = 200};
  const RunCost cost{.pretrain = {.seconds = 2, .model_bytes = 10, .optimizer_bytes = 7},
                     .finetune = {.seconds = 1, .model_bytes = 20, .optimizer_bytes = 5},
                     .clip_seconds = 0.5};
  const config::RunConfig run{.checkpoint_every = 100, .keep_checkpoints = 2};
  const Estimate pretraining = pretrain_estimate(work, cost, run);
  EXPECT_DOUBLE_EQ(pretraining.seconds, 2000 + 25);
  EXPECT_EQ(pretraining.bytes, 10 + 2 * (10 + 7));  // the last; two of steps
  Estimate both = finetune_estimate(work, cost, run);
  EXPECT_DOUBLE_EQ(both.seconds, 100 + 250);
  EXPECT_EQ(both.bytes, 2 * 20 + 1 * (20 + 5));  // the last, the best; one of steps
  both += pretraining;
  EXPECT_DOUBLE_EQ(both.seconds, 2375);
  EXPECT_EQ(both.bytes, 109);
}

TEST(Estimate, ReadsAsPeopleSayIt) {
  const auto text = [](double seconds) { return to_string(Estimate{seconds, (1 << 20) + 1}); };
  EXPECT_EQ(text(0.01), "about 1 s, 2 MiB");
  EXPECT_EQ(text(61.2), "about 62 s, 2 MiB");
  EXPECT_EQ(text(3 * 60), "about 3 min, 2 MiB");
  EXPECT_EQ(text(2.5 * 3600), "about 2 h 30 min, 2 MiB");
  EXPECT_EQ(text(12.2 * 86400), "about 12 days, 2 MiB");
}

}  // namespace
}  // namespace avbench::experiment
