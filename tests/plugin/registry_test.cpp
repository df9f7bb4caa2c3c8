#include "plugin/registry.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/temp_folder.h"
#include "plugin/record.h"

namespace avbench::plugin {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const fs::path kFolder = BAD_PLUGINS;

std::string refusal(const std::string& name) {
  return io::user_error([&] { load_plugin(kFolder / name); });
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

TEST(LoadPlugin, RefusesANewerApiWithoutLoading) {
  EXPECT_THAT(refusal("newer_api.so"),
              AllOf(HasSubstr("newer_api.so"), HasSubstr("got avbench_abi_999_libtorch_"),
                    HasSubstr("expected " + host_abi_tag())));
}

// The API number is ours.
TEST(LoadPlugin, RefusesAnotherLibTorchWithoutLoading) {
  const std::string api = "avbench_abi_" AVBENCH_TEXT(AVBENCH_API_VERSION) "_libtorch_";
  EXPECT_THAT(host_abi_tag(), testing::StartsWith(api));
  EXPECT_THAT(refusal("other_libtorch.so"),
              AllOf(HasSubstr("other_libtorch.so"), HasSubstr("got " + api + "1_13_0_cxx11abi1"),
                    HasSubstr("expected " + host_abi_tag())));
}

TEST(LoadPlugin, RefusesOtherLibrariesWithoutLoading) {
  EXPECT_THAT(refusal("no_tag.so"), HasSubstr("not an avbench plugin"));
}

TEST(LoadPlugin, ReportsWhatTheLoaderMisses) {
  EXPECT_THAT(refusal("unresolved.so"),
              AllOf(HasSubstr("undefined symbol"), HasSubstr("defined_nowhere")));
}

TEST(LoadPlugin, NamesTheLibraryThatAPluginNeeds) {
  EXPECT_THAT(refusal("missing_dependency.so"),
              AllOf(HasSubstr("missing_dependency.so: cannot be loaded"),
                    HasSubstr("libavbench_absent.so: cannot open shared object file")));
}

TEST(LoadPlugin, RefusesAPluginWithoutARecord) {
  EXPECT_THAT(refusal("null_record.so"), AllOf(HasSubstr("null_record.so"),
                                               HasSubstr("avbench_method_plugin() returned null")));
  EXPECT_THAT(refusal("throwing_record.so"),
              AllOf(HasSubstr("throwing_record.so"), HasSubstr("avbench_method_plugin() threw")));
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

TEST(LoadPlugin, RefusesAMissingFileAndAFolder) {
  EXPECT_THAT(refusal("missing.so"),
              HasSubstr("missing.so: cannot be opened: No such file or directory"));
  const io::TempFolder folder;
  fs::create_directory(folder / "folder.so");
  EXPECT_THAT(io::user_error([&] { load_plugin(folder / "folder.so"); }),
              HasSubstr("folder.so: got a folder, expected a shared library"));
}

// Permissions do not bind root: a child that has given up its rights reads. `report` is what it
// found, "" if it could not become someone else.
std::string as_nobody(const std::function<std::string()>& report) {
  constexpr uid_t kNobody = 65534;
  int ends[2];
  if (pipe(ends) != 0) return "";
  const pid_t child = fork();
  if (child == 0) {
    const bool changed = geteuid() != 0 ||
                         (setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
                          setresuid(kNobody, kNobody, kNobody) == 0);
    const std::string text = changed ? report() : "";
    const bool written = write(ends[1], text.data(), text.size()) == ssize_t(text.size());
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t size = read(ends[0], text.data(), text.size());
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return text.substr(0, static_cast<size_t>(std::max<ssize_t>(size, 0)));
}

TEST(PluginRegistry, NamesAFileThatCannotBeReadAndLoadsTheOthers) {
  const io::TempFolder folder;
  fs::permissions(folder.path(), fs::perms(0755));
  fs::copy_file(kFolder / "good.so", folder / "good.so");
  fs::copy_file(kFolder / "good.so", folder / "locked.so");
  fs::permissions(folder / "locked.so", fs::perms::none);
  const std::string report = as_nobody([&] {
    const auto registry = PluginRegistry::from_folders({folder.path()});
    std::string text;
    for (const LoadedPlugin& plugin : registry.plugins()) {
      text += "loaded " + plugin.file.filename().string() + "\n";
    }
    for (const PluginProblem& problem : registry.problems()) text += problem.message + "\n";
    return text;
  });
  if (report.empty()) GTEST_SKIP() << "this process cannot become another user";
  EXPECT_EQ(report, "loaded good.so\n" + fs::canonical(folder.path()).string() +
                        "/locked.so: cannot be opened: Permission denied\n");
}

TEST(PluginRegistry, HidesNoPluginBehindABadOne) {
  const auto registry = PluginRegistry::from_folders({kFolder});
  ASSERT_THAT(registry.plugins(), SizeIs(1));
  EXPECT_EQ(registry.find("toy").file.filename(), "good.so");
  std::vector<std::string> refused;
  for (const PluginProblem& problem : registry.problems()) {
    refused.push_back(problem.file.stem());
    EXPECT_THAT(problem.message, testing::StartsWith(problem.file.string() + ": "));
  }
  EXPECT_THAT(refused, testing::ElementsAre("faulty", "missing_dependency", "newer_api", "no_tag",
                                            "null_record", "other_abi", "other_libtorch",
                                            "throwing_record", "twin", "unresolved"));
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
  EXPECT_THAT(io::user_error([&] { registry.find("toi"); }),
              AllOf(HasSubstr("did you mean 'toy'"), HasSubstr("known: toy")));
  EXPECT_THAT(io::user_error([&] { registry.find("other_abi"); }),
              AllOf(HasSubstr("could not be loaded"), HasSubstr("expected avbench_abi")));
}

TEST(PluginRegistry, ReadsAFolderOnceAndReportsAMissingOne) {
  const io::TempFolder empty;
  const auto registry =
      PluginRegistry::from_folders({kFolder, kFolder / ".." / kFolder.filename(), "/nowhere"});
  EXPECT_THAT(registry.plugins(), SizeIs(1));
  EXPECT_THAT(registry.folders(), SizeIs(2));
  EXPECT_THAT(registry.problems().back().message, HasSubstr("/nowhere: no such folder"));
  const auto none = PluginRegistry::from_folders({empty.path()});
  EXPECT_THAT(io::user_error([&] { none.find("toy"); }),
              AllOf(HasSubstr("no plugins were found in"), HasSubstr(empty.path().string())));
}

TEST(PluginRegistry, SearchesThePathOfTheEnvironmentFirst) {
  const io::TempFolder first, second;
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
  const io::TempFolder folder;
  io::write_file_atomically(folder / "notes.so", std::string_view("shopping list"));
  io::write_file_atomically(folder / "empty.so", std::string_view(""));
  fs::create_directory(folder / "folder.so");
  fs::create_symlink(folder / "gone", folder / "dangling.so");
  fs::copy_file(kFolder / "good.so", folder / "zz_good.so");
  const auto registry = PluginRegistry::from_folders({folder.path()});
  EXPECT_THAT(registry.plugins(), SizeIs(1));
  EXPECT_THAT(registry.problems(), SizeIs(4));
}

}  // namespace
}  // namespace avbench::plugin
