#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/run_avbench.h"

namespace avbench::app {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names(const Json& list) {
  std::vector<std::string> names;
  for (const Json& item : list) names.push_back(item.at("name"));
  return names;
}

TEST(MethodsCommand, ListsThePluginsBesideTheProgram) {
  const Outcome text = run_avbench("methods");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("avcl"), HasSubstr("simclr.so")));
  EXPECT_THAT(text.err, IsEmpty());
  const Json json = Json::parse(run_avbench("methods --json").out);
  EXPECT_THAT(names(json.at("methods")),
              testing::ElementsAre("avcl", "barlow_twins", "byol", "cmc", "dino", "iic", "moco",
                                   "simclr", "simsiam", "vicreg"));
  EXPECT_THAT(json.at("problems"), IsEmpty());
}

TEST(MethodsCommand, TellsOfBadPluginsAndListsTheGood) {
  const std::string path = std::string("AVBENCH_PLUGIN_PATH=") + BAD_PLUGINS;
  const Outcome text = run_avbench("methods", path);
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("toy"), HasSubstr("avcl")));
  EXPECT_THAT(text.err, AllOf(HasSubstr("other_abi.so"), HasSubstr("twin.so")));
  const Json json = Json::parse(run_avbench("methods --json", path).out);
  EXPECT_EQ(json.at("problems").size(), 10u);
}

TEST(DescribeCommand, ShowsParametersViewsAndEmbeddings) {
  const Json json = Json::parse(run_avbench("describe avcl --json").out);
  const Json temperature = json.at("parameters").at(0);
  EXPECT_EQ(temperature.at("name"), "temperature");
  EXPECT_EQ(temperature.at("default"), 0.5);
  EXPECT_EQ(temperature.at("max"), 100);
  EXPECT_THAT(names(json.at("embeddings")), testing::ElementsAre("video", "audio"));
  EXPECT_EQ(json.at("views").size(), 2u);
  EXPECT_THAT(run_avbench("describe avcl").out,
              AllOf(HasSubstr("alignment = fused  (one of fused, towers)"),
                    HasSubstr("lambda_cor = 0.9"), HasSubstr("video [B,D]")));
}

TEST(DescribeCommand, RefusesAnUnknownMethodWithTheNearest) {
  const Outcome outcome = run_avbench("describe simclrr");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("avbench: error: unknown method 'simclrr'"),
                                 HasSubstr("did you mean 'simclr'"), HasSubstr("simclr, simsiam")));
}

TEST(DescribeCommand, SaysWhyAMethodOfThatNameWasNotLoaded) {
  const Outcome outcome =
      run_avbench("describe other_abi", std::string("AVBENCH_PLUGIN_PATH=") + BAD_PLUGINS);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("could not be loaded"),
                                 HasSubstr("got avbench_abi_0_libtorch_1_13_0_cxx11abi0")));
}

}  // namespace
}  // namespace avbench::app
