#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/run_avbench.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class NewMethodCommand : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void expect_refused(const std::string& arguments,
                      const testing::Matcher<const std::string&>& message,
                      const std::string& environment = "") {
    const Outcome outcome = run_avbench("new-method " + arguments, environment);
    EXPECT_EQ(outcome.exit_code, 2) << arguments;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, message);
  }

  io::TempFolder folder_;
};

TEST_F(NewMethodCommand, WritesTheExampleUnderTheNewName) {
  const Outcome outcome = run_avbench("new-method my_2nd_loss " + path("deep/project"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path("deep/project"))) {
    files.push_back(entry.path().filename());
    const std::string text = io::read_file(entry.path());
    EXPECT_THAT(text, AllOf(Not(HasSubstr("margin_ranking")), Not(HasSubstr("MarginRanking"))));
  }
  EXPECT_THAT(files, testing::UnorderedElementsAre("CMakeLists.txt", "README.md", "my_2nd_loss.cpp",
                                                   "my_2nd_loss.yaml", "my_2nd_loss_test.cpp"));
  const std::string source = io::read_file(path("deep/project/my_2nd_loss.cpp"));
  EXPECT_LT(std::count(source.begin(), source.end(), '\n'), 100);
  EXPECT_THAT(source, AllOf(HasSubstr("class My2ndLossMethod : public Method"),
                            HasSubstr(".name = \"my_2nd_loss\"")));
  EXPECT_THAT(source, HasSubstr("params.number(\"margin\")"));  // its parameter keeps its name
}

TEST_F(NewMethodCommand, SaysWhatToDoNext) {
  fs::create_directory(path("with space"));  // empty: taken
  const std::string quoted = "'" + path("with space") + "'";
  const Outcome text = run_avbench("new-method mine " + quoted);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("cd " + quoted + "\n"), HasSubstr("ctest --test-dir build"),
                              HasSubstr("AVBENCH_PLUGIN_PATH=$PWD/build"),
                              HasSubstr("avbench compare mine.yaml"),
                              HasSubstr("cmake --install build/release --prefix PREFIX")));
  const Json json = Json::parse(run_avbench("new-method mine --json " + path("json")).out);
  EXPECT_EQ(json.at("name"), "mine");
  EXPECT_EQ(json.at("files").size(), 5u);
  EXPECT_EQ(json.at("next").back(), "avbench compare mine.yaml");
}

TEST_F(NewMethodCommand, RefusesNamesOfAnotherForm) {
  expect_refused("My-Loss " + path("x"), HasSubstr("such as 'my_loss'"));
  expect_refused("2loss " + path("x"), HasSubstr("such as 'loss'"));
  expect_refused("\"\" " + path("x"), HasSubstr("got ''"));
  expect_refused("null " + path("x"), HasSubstr("not 'null'"));
  expect_refused("../up " + path("x"), HasSubstr("such as 'up'"));
  expect_refused(std::string(65, 'a') + " " + path("x"), HasSubstr("at most 64"));
  EXPECT_FALSE(fs::exists(path("x")));
}

TEST_F(NewMethodCommand, RefusesTheNameOfAMethodThatExists) {
  expect_refused("simclr " + path("x"), HasSubstr("plugins/simclr.so"));
  expect_refused("toy " + path("x"), HasSubstr("/good.so"),
                 std::string("AVBENCH_PLUGIN_PATH=") + BAD_PLUGINS);
  EXPECT_FALSE(fs::exists(path("x")));
}

TEST_F(NewMethodCommand, OverwritesNothing) {
  fs::create_directory(path("full"));
  std::ofstream(path("full/notes")) << "mine";
  expect_refused("mine " + path("full"), HasSubstr("is not empty"));
  expect_refused("mine " + path("full/notes"), HasSubstr("notes: cannot be made: "));
  expect_refused("mine " + path("full/notes/below"), HasSubstr("below: cannot be made: "));
  expect_refused("mine ''", HasSubstr("DIR: got ''"));
  EXPECT_EQ(io::read_file(path("full/notes")), "mine");
}

}  // namespace
}  // namespace avbench::app
