#include <gtest/gtest.h>

#include <chrono>

#include "media/file_bytes.h"

namespace avbench::media {
namespace {

using std::chrono::seconds;

std::chrono::steady_clock::time_point time_now{seconds(1000)};
std::chrono::steady_clock::time_point clock_of_the_test() { return time_now; }

TEST(Deadline, PassesAfterItsTime) {
  const Deadline deadline(60, clock_of_the_test);
  for (int i = 0; i < 60; ++i) {
    EXPECT_FALSE(deadline.passed()) << i;
    time_now += seconds(1);
  }
  EXPECT_FALSE(deadline.passed());
  time_now += seconds(1);
  EXPECT_TRUE(deadline.passed());
  EXPECT_THROW(deadline.check(), Unusable);
}

TEST(Deadline, AProcessThatWasStoppedForAnHourDoesNotBlameItsFile) {
  const Deadline deadline(60, clock_of_the_test);
  time_now += seconds(3600);
  EXPECT_FALSE(deadline.passed());
  time_now += seconds(30);
  EXPECT_FALSE(deadline.passed());
}

TEST(Deadline, AFileThatNeverAnswersStillEnds) {
  const Deadline deadline(60, clock_of_the_test);
  int looks = 0;
  for (; !deadline.passed(); ++looks) time_now += seconds(30);
  EXPECT_LE(looks, 7);
}

}  // namespace
}  // namespace avbench::media
