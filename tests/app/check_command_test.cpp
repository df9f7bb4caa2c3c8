#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/run_avbench.h"

namespace avbench::app {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const std::string kWrong = std::string(WRONG_METHODS) + "/wrong.so";
const std::string kPath = std::string("AVBENCH_PLUGIN_PATH=") + WRONG_METHODS;

void expect_mistake(const std::string& arguments,
                    const testing::Matcher<const std::string&>& message) {
  const Outcome outcome = run_avbench("check " + arguments);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, message);
}

TEST(CheckCommand, PrintsALineAPropertyOfAMethodFoundByName) {
  const Outcome outcome = run_avbench("check margin_ranking", kPath);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, testing::ContainsRegex("gradient_matches_finite_differences +ok +"
                                                  "largest relative error .*limit 1e-06"));
}

TEST(CheckCommand, EndsInOneWhereAPropertyFails) {
  const Outcome outcome = run_avbench("check " + kWrong + " --set fault=other_loss --json");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("properties do not hold: loss_equals_pure_loss"));
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json.at("method"), "wrong");
  EXPECT_EQ(json.at("file"), kWrong);
  int failures = 0;
  for (const Json& property : json.at("properties")) {
    if (property.at("status") != "FAILED") continue;
    ++failures;
    EXPECT_EQ(property.at("name"), "loss_equals_pure_loss");
    EXPECT_NEAR(property.at("measured").get<double>(), 1, 1e-6);  // twice the pure loss
    EXPECT_LT(property.at("limit").get<double>(), 1e-9);
  }
  EXPECT_EQ(failures, 1);
}

TEST(CheckCommand, ReportsAFileThatCannotBeLoadedAsAFailure) {
  const Outcome outcome = run_avbench("check " + std::string(BAD_PLUGINS) + "/other_abi.so");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("FAILED"), HasSubstr("expected avbench_abi_"), HasSubstr("skipped")));
}

TEST(CheckCommand, RefusesUnknownMethodsFilesAndParameters) {
  expect_mistake("simclrr", HasSubstr("did you mean 'simclr'"));
  expect_mistake("/nowhere/x.so", HasSubstr("/nowhere/x.so: no such file"));
  expect_mistake("simclr --set temprature=1", HasSubstr("did you mean 'temperature'"));
  expect_mistake(kWrong + " --set fault=all", HasSubstr("expected one of none"));
  expect_mistake("avcl --set lambda_self=0 --set lambda_cor=0", HasSubstr("at least one"));
}

}  // namespace
}  // namespace avbench::app
