#include "train/loop_state.h"

#include <gtest/gtest.h>

#include "train/checkpoint.h"

namespace avbench::train {
namespace {

// As a stage of the first version wrote it; no metric twice, none a default.
const io::Json kWritten = io::Json::parse(R"({
 "best_epoch": 2, "best_score": 0.53125, "clipped": 9, "epochs_ended": 3,
 "last_report": {"validation_accuracy": 0.5}, "loss_sum": 5.300000000000001,
 "metrics_bytes": 18446744073709551615, "peak_memory_bytes": 418381824,
 "schedule": {"best": 1.7320508075688772, "scale": 0.010000000000000002, "without_improvement": 4},
 "seconds": 12.5, "step": 17, "train_seconds": 11.25, "waiting_seconds": 0.75})");

TEST(LoopState, ComesBackKeyByKey) {
  const auto got = io::read_fields<LoopState>(kWritten, "step-000000017.json");
  EXPECT_EQ(got.step, 17);
  EXPECT_EQ(got.epochs_ended, 3);
  EXPECT_EQ(got.clipped, 9);
  EXPECT_EQ(got.loss_sum, 5.300000000000001);
  EXPECT_EQ(got.schedule.scale, 0.010000000000000002);
  EXPECT_EQ(got.schedule.best, 1.7320508075688772);
  EXPECT_EQ(got.schedule.without_improvement, 4);
  EXPECT_EQ(got.metrics_bytes, 18446744073709551615u);
  EXPECT_EQ(got.seconds, 12.5);
  EXPECT_EQ(got.train_seconds, 11.25);
  EXPECT_EQ(got.waiting_seconds, 0.75);
  EXPECT_EQ(got.peak_memory_bytes, 418381824);
  EXPECT_EQ(got.best_score, 0.53125);
  EXPECT_EQ(got.best_epoch, 2);
  EXPECT_EQ(got.last_report, io::Json({{"validation_accuracy", 0.5}}));
  EXPECT_EQ(io::write_fields(got), kWritten);
}

TEST(LoopState, BeforeAnyValidationHasNoBest) {
  io::Json early = kWritten;
  early["best_score"] = early["schedule"]["best"] = nullptr;
  early["best_epoch"] = -1;
  const auto got = io::read_fields<LoopState>(early, "x");
  EXPECT_FALSE(got.best_score);
  EXPECT_FALSE(got.schedule.best);
  EXPECT_EQ(io::write_fields(got), early);
  EXPECT_EQ(io::write_fields(LoopState())["best_score"], io::Json());
}

TEST(BestState, ComesBackKeyByKey) {
  const io::Json written = {{"epoch", 2}, {"score", -1.7320508075688772}};
  const auto got = io::read_fields<BestState>(written, "best.json");
  EXPECT_EQ(got.epoch, 2);
  EXPECT_EQ(got.score, -1.7320508075688772);
  EXPECT_EQ(io::write_fields(got), written);
}

}  // namespace
}  // namespace avbench::train
