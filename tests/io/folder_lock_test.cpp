#include "io/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A child that locks `folder`, says so through a pipe and holds the lock until it is killed.
pid_t hold_in_child(const std::filesystem::path& folder) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder);
    (void)!::write(ends[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  ::close(ends[0]);
  ::close(ends[1]);
  return child;
}

TEST(FolderLock, RefusesASecondProcessWithTheHoldersId) {
  const TempFolder folder;
  const pid_t child = hold_in_child(folder / "run");
  EXPECT_THAT(user_error([&] { const FolderLock second(folder / "run"); }),
              AllOf(HasSubstr("process " + std::to_string(child)), HasSubstr("run is in use")));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(FolderLock, DoesNotOutliveAKilledProcess) {
  const TempFolder folder;
  const pid_t child = hold_in_child(folder.path());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const FolderLock lock(folder.path());
}

TEST(FolderLock, RemovesTemporaryFilesOfKilledProcessesAndNothingElse) {
  const TempFolder folder;
  for (const char* name : {".summary.json.99-0.tmp", ".hidden", "notes.tmp", "summary.json"}) {
    std::ofstream(folder / name) << "x";
  }
  const FolderLock lock(folder.path());
  EXPECT_FALSE(std::filesystem::exists(folder / ".summary.json.99-0.tmp"));
  for (const char* name : {".hidden", "notes.tmp", "summary.json"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
}

TEST(FolderLock, IsFreeAfterItsScopeAndNamesTheNewHolder) {
  const TempFolder folder;
  { const FolderLock first(folder.path()); }
  const FolderLock second(folder.path());
  EXPECT_THAT(user_error([&] { const FolderLock third(folder.path()); }),
              HasSubstr("process " + std::to_string(::getpid())));
}

}  // namespace
}  // namespace avbench::io
