#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/run_avbench.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CommandLine, ExplainsItselfOnStandardOutput) {
  const Outcome help = run_avbench("--help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("methods"), HasSubstr("compare"), HasSubstr("loss")));
  EXPECT_THAT(help.err, IsEmpty());
}

TEST(CommandLine, TellsItsVersion) {
  const Outcome outcome = run_avbench("--version");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, testing::ContainsRegex("^avbench [0-9]+\\.[0-9]+\\.[0-9]+\n$"));
}

TEST(CommandLine, SuggestsTheNearestCommand) {
  const Outcome outcome = run_avbench("metods");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("avbench: error: "), HasSubstr("did you mean 'methods'"),
                                 HasSubstr("avbench --help")));
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST(CommandLine, RefusesUnknownOptionsAndMissingArguments) {
  const Outcome option = run_avbench("methods --jsn");
  EXPECT_EQ(option.exit_code, 2);
  EXPECT_THAT(option.err, HasSubstr("--jsn"));
  const Outcome missing = run_avbench("describe");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("METHOD"));
  EXPECT_EQ(run_avbench("").exit_code, 2);
}

}  // namespace
}  // namespace avbench::app
