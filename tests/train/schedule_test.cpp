#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>

#include "io/json_fields.h"

namespace avbench::train {
namespace {

using Name = config::ScheduleConfig::Name;

TEST(Schedule, ConstantIsOne) {
  const Schedule schedule({}, 10);
  EXPECT_EQ(schedule.scale(0), 1);
  EXPECT_EQ(schedule.scale(9.5), 1);
}

TEST(Schedule, WarmupRisesLinearlyFromZero) {
  const Schedule schedule({.name = Name::kCosine, .warmup_epochs = 2}, 10);
  EXPECT_EQ(schedule.scale(0), 0);
  EXPECT_DOUBLE_EQ(schedule.scale(0.5), 0.25);
  EXPECT_DOUBLE_EQ(schedule.scale(2), 1);
}

// Half way between warm-up and the end the cosine is at the middle.
TEST(Schedule, CosineFallsToItsFinalScale) {
  const Schedule schedule({.name = Name::kCosine, .warmup_epochs = 2, .final_scale = 0.2}, 10);
  EXPECT_NEAR(schedule.scale(6), 0.6, 1e-12);
  EXPECT_NEAR(schedule.scale(10), 0.2, 1e-12);
}

TEST(Schedule, StepMultipliesEveryFewEpochs) {
  const Schedule schedule({.name = Name::kStep, .step_epochs = 3, .gamma = 0.5}, 10);
  EXPECT_DOUBLE_EQ(schedule.scale(2.9), 1);
  EXPECT_DOUBLE_EQ(schedule.scale(3), 0.5);
  EXPECT_DOUBLE_EQ(schedule.scale(8.9), 0.25);
}

// torch.optim.lr_scheduler.MultiStepLR([2, 5], gamma=0.2).
TEST(Schedule, MilestonesMultiplyAfterEachOfThem) {
  const Schedule schedule({.name = Name::kMilestones, .milestones = {2, 5}, .gamma = 0.2}, 10);
  EXPECT_DOUBLE_EQ(schedule.scale(1.9), 1);
  EXPECT_DOUBLE_EQ(schedule.scale(2), 0.2);
  EXPECT_DOUBLE_EQ(schedule.scale(4.9), 0.2);
  EXPECT_DOUBLE_EQ(schedule.scale(9), 0.2 * 0.2);
}

// torch.optim.lr_scheduler.ReduceLROnPlateau(patience=2) lowers the rate at the third epoch in a
// row that brings no improvement.
TEST(Schedule, PlateauLowersAfterPatienceIsOver) {
  Schedule schedule({.name = Name::kPlateau, .gamma = 0.1, .patience = 2}, 100);
  for (const double metric : {1.0, 1.0, 1.5}) schedule.validated(metric);
  EXPECT_DOUBLE_EQ(schedule.scale(3), 1);
  schedule.validated(1.0);
  EXPECT_DOUBLE_EQ(schedule.scale(4), 0.1);
}

TEST(Schedule, ContinuesFromItsSavedState) {
  const config::ScheduleConfig config{.name = Name::kPlateau, .gamma = 0.1, .patience = 1};
  Schedule unbroken(config, 100), first(config, 100), second(config, 100);
  const double metrics[] = {3, 2, 2, 2, 1, 1, 1};
  for (int i = 0; i < 7; ++i) unbroken.validated(metrics[i]);
  for (int i = 0; i < 3; ++i) first.validated(metrics[i]);
  second.restore(first.state());
  for (int i = 3; i < 7; ++i) second.validated(metrics[i]);
  EXPECT_EQ(second.scale(7), unbroken.scale(7));
  EXPECT_LT(unbroken.scale(7), 1);
}

TEST(Schedule, SavesItsStateBeforeTheFirstEpoch) {
  Schedule schedule({.name = Name::kPlateau}, 10);
  schedule.restore(io::read_fields<ScheduleState>(
      io::Json::parse(io::write_fields(schedule.state()).dump()), "x"));
  EXPECT_EQ(schedule.scale(0), 1);
}

}  // namespace
}  // namespace avbench::train
