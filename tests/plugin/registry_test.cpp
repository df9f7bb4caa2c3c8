#include "plugin/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/temp_folder.h"
#include "plugin/record.h"

namespace avbench {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const fs::path kFolder = BAD_PLUGINS;

std::string refusal(const std::string& name) {
  return user_error([&] { load_plugin(kFolder / name); });
}

TEST(LoadPlugin, GivesTheRecordAndWhatItWasBuiltWith) {
  const LoadedPlugin toy = load_plugin(kFolder / "good.so");
  EXPECT_STREQ(toy.record->name, "toy");
  EXPECT_EQ(toy.file, kFolder / "good.so");
  EXPECT_THAT(toy.compiler, AllOf(HasSubstr(__VERSION__), HasSubstr("C++")));
}

TEST(LoadPlugin, RefusesAnotherAbiWithoutLoading) {
  EXPECT_THAT(
      refusal("other_abi.so"),
      AllOf(HasSubstr("other_abi.so"), HasSubstr("got avbench_abi_0_libtorch_1_13_0_cxx11abi0"),
            HasSubstr("expected " + host_abi_tag()), HasSubstr("rebuild")));
}

TEST(LoadPlugin, RefusesOtherLibrariesWithoutLoading) {
  EXPECT_THAT(refusal("no_tag.so"), HasSubstr("not an avbench plugin"));
}

TEST(LoadPlugin, ReportsWhatTheLoaderMisses) {
  EXPECT_THAT(refusal("unresolved.so"),
              AllOf(HasSubstr("undefined symbol"), HasSubstr("defined_nowhere")));
}

TEST(LoadPlugin, ListsEveryFaultOfARecord) {
  EXPECT_THAT(
      refusal("faulty.so"),
      AllOf(HasSubstr("paper is empty"), HasSubstr("views is null"), HasSubstr("loss is null"),
            HasSubstr("create is null"), HasSubstr("default is '5'"), HasSubstr("is repeated"),
            HasSubstr("default is 'up'"), HasSubstr("'Loud Flag'"),
            HasSubstr("'silent' has no documentation"), HasSubstr("'b x d'")));
  EXPECT_THAT(record_faults(nullptr), SizeIs(1));
}

TEST(LoadPlugin, RefusesAMissingFile) {
  EXPECT_THAT(refusal("missing.so"), HasSubstr("missing.so: cannot be opened"));
}

TEST(PluginRegistry, HidesNoPluginBehindABadOne) {
  const auto registry = PluginRegistry::from_folders({kFolder});
  ASSERT_THAT(registry.plugins(), SizeIs(1));
  EXPECT_EQ(registry.find("toy").file.filename(), "good.so");
  EXPECT_THAT(registry.problems(), SizeIs(5));  // faulty, no_tag, other_abi, twin, unresolved
}

TEST(PluginRegistry, NamesBothFilesOfARepeatedName) {
  const auto registry = PluginRegistry::from_folders({kFolder});
  std::string message;
  for (const PluginProblem& problem : registry.problems()) {
    if (problem.file.filename() == "twin.so") message = problem.message;
  }
  EXPECT_THAT(message, AllOf(HasSubstr("twin.so"), HasSubstr("good.so"), HasSubstr("'toy'")));
}

TEST(PluginRegistry, SuggestsAndListsKnownNames) {
  const auto registry = PluginRegistry::from_folders({kFolder});
  EXPECT_THAT(user_error([&] { registry.find("toi"); }),
              AllOf(HasSubstr("did you mean 'toy'"), HasSubstr("known: toy")));
  EXPECT_THAT(user_error([&] { registry.find("other_abi"); }),
              AllOf(HasSubstr("could not be loaded"), HasSubstr("expected avbench_abi")));
}

TEST(PluginRegistry, ReadsAFolderOnceAndReportsAMissingOne) {
  const TempFolder empty;
  const auto registry =
      PluginRegistry::from_folders({kFolder, kFolder / ".." / kFolder.filename(), "/nowhere"});
  EXPECT_THAT(registry.plugins(), SizeIs(1));
  EXPECT_THAT(registry.folders(), SizeIs(2));
  EXPECT_THAT(registry.problems().back().message, HasSubstr("/nowhere: no such folder"));
  const auto none = PluginRegistry::from_folders({empty.path()});
  EXPECT_THAT(user_error([&] { none.find("toy"); }),
              AllOf(HasSubstr("no plugins were found in"), HasSubstr(empty.path().string())));
}

TEST(PluginRegistry, SearchesThePathOfTheEnvironmentFirst) {
  const TempFolder first, second;
  fs::copy_file(kFolder / "good.so", first / "a.so");
  fs::copy_file(kFolder / "twin.so", second / "b.so");
  const std::string path = first.path().string() + "::" + second.path().string();
  ::setenv("AVBENCH_PLUGIN_PATH", path.c_str(), 1);
  const auto registry = PluginRegistry::discover();
  ::unsetenv("AVBENCH_PLUGIN_PATH");
  EXPECT_EQ(registry.find("toy").file.filename(), "a.so");
  EXPECT_THAT(registry.problems(), SizeIs(1));
}

TEST(PluginRegistry, SurvivesFilesThatOnlyLookLikePlugins) {
  const TempFolder folder;
  write_file_atomically(folder / "notes.so", std::string_view("shopping list"));
  write_file_atomically(folder / "empty.so", std::string_view(""));
  fs::create_directory(folder / "folder.so");
  fs::create_symlink(folder / "gone", folder / "dangling.so");
  fs::copy_file(kFolder / "good.so", folder / "zz_good.so");
  const auto registry = PluginRegistry::from_folders({folder.path()});
  EXPECT_THAT(registry.plugins(), SizeIs(1));
  EXPECT_THAT(registry.problems(), SizeIs(4));
}

}  // namespace
}  // namespace avbench
