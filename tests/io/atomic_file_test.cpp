#include "io/atomic_file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

size_t entries(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  TempFolder folder;
  {
    AtomicFile file(folder / "a");
    file.write("one ");
    file.write("two");
    EXPECT_FALSE(fs::exists(folder / "a"));
    file.commit();
    EXPECT_EQ(read_file(folder / "a"), "one two");
  }
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(AtomicFile, LeavesTheOldContentWhenNotCommitted) {
  TempFolder folder;
  write_file_atomically(folder / "a", "old");
  { AtomicFile(folder / "a").write("new"); }
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(AtomicFile, ReplacesAndCountsAnyBytes) {
  TempFolder folder;
  const std::string text("\0\xff\n", 3);
  write_file_atomically(folder / "a", "a longer text than the next");
  write_file_atomically(folder / "a", text);
  EXPECT_EQ(read_file(folder / "a"), text);
}

TEST(AtomicFile, TwoWritersOfOneFileDoNotMix) {
  TempFolder folder;
  AtomicFile first(folder / "a"), second(folder / "a");
  first.write("first");
  second.write("second");
  first.commit();
  second.commit();
  EXPECT_EQ(read_file(folder / "a"), "second");
}

TEST(AtomicFile, HonoursTheUmask) {
  TempFolder folder;
  const mode_t old = ::umask(027);
  write_file_atomically(folder / "a", "x");
  ::umask(old);
  struct stat status;
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AtomicFile, NamesTheMissingFolder) {
  EXPECT_EQ(user_error([] { AtomicFile("/nowhere/at/all.json"); }),
            "cannot write /nowhere/at/all.json: the folder /nowhere/at does not exist");
}

TEST(AtomicFile, RefusesToReplaceFoldersAndDevices) {
  TempFolder folder;
  EXPECT_THAT(user_error([&] { AtomicFile(folder.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(user_error([] { AtomicFile("/dev/null"); }), HasSubstr("it is a device"));
}

std::string failure(const fs::path& path) {
  try {
    AtomicFile file(path);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(AtomicFile, FolderThatMayNotBeWrittenIsNamedWithTheReason) {
  constexpr uid_t kNobody = 65534;
  TempFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const bool root = ::geteuid() == 0;  // may write everywhere
  if (root) {
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  const std::string message = failure(folder / "a");
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(message, "cannot create " + (folder / "a").string() + ": Permission denied");
}

TEST(AtomicFile, FileInPlaceOfAFolderIsNamedWithTheReason) {
  TempFolder folder;
  write_file_atomically(folder / "file", "x");
  EXPECT_EQ(failure(folder / "file" / "a"),
            "cannot create " + (folder / "file/a").string() + ": Not a directory");
}

// A limit on the size of files stands for a full disk: write() fails in the same way.
TEST(AtomicFile, FailedWriteIsReportedAndLeavesNothing) {
  TempFolder folder;
  struct rlimit old;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { 1000, old.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message;
  try {
    write_file_atomically(folder / "a", std::string(5000, 'x'));
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, "cannot write " + (folder / "a").string() + ": File too large");
  EXPECT_EQ(entries(folder.path()), 0u);
}

TEST(ReadFile, SaysWhatIsWrong) {
  TempFolder folder;
  EXPECT_THAT(user_error([&] { read_file(folder / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(user_error([&] { read_file(folder.path()); }), HasSubstr("Is a directory"));
}

TEST(ReadFile, ReadsFilesThatDoNotTellTheirSize) {
  EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("Pid:"));
  EXPECT_TRUE(read_file("/dev/null").empty());
}

}  // namespace
}  // namespace avbench::io
