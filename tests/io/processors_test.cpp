// The number of usable processors, on trees of files like those of Linux.
#include "io/processors.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "io/temp_folder.h"

namespace avbench::io {
namespace {

namespace fs = std::filesystem;

class ProcessorsTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  void cpu(int number, int package, int core) {
    const std::string folder = "sys/devices/system/cpu/cpu" + std::to_string(number) + "/topology/";
    write(folder + "physical_package_id", std::to_string(package));
    write(folder + "core_id", std::to_string(core));
  }
  std::vector<int> first(int count) {
    std::vector<int> allowed;
    for (int i = 0; i < count; ++i) allowed.push_back(i);
    return allowed;
  }

  TempFolder folder_;
  fs::path root_ = folder_.path();
};

TEST_F(ProcessorsTest, LogicalProcessorsOfOneCoreCountOnce) {
  for (int i = 0; i < 8; ++i) cpu(i, i / 4, i % 2);  // two packages of two cores of two threads
  const Processors found = processors(first(8), root_);
  EXPECT_EQ(found.logical, 8);
  EXPECT_EQ(found.cores, 4);
  EXPECT_EQ(found.usable(), 4);
}

TEST_F(ProcessorsTest, OnlyTheAffinityMasksProcessorsCount) {
  for (int i = 0; i < 8; ++i) cpu(i, 0, i);
  EXPECT_EQ(processors({2, 5, 6}, root_).usable(), 3);
}

TEST_F(ProcessorsTest, WithoutATopologyEachLogicalProcessorIsACore) {
  EXPECT_EQ(processors(first(3), root_).usable(), 3);
  EXPECT_EQ(processors({}, root_).usable(), 1);
}

TEST_F(ProcessorsTest, AContainersQuotaLimits) {
  write("proc/self/cgroup", "0::/");
  write("sys/fs/cgroup/cpu.max", "250000 100000");
  const Processors found = processors(first(16), root_);
  EXPECT_DOUBLE_EQ(found.quota, 2.5);
  EXPECT_EQ(found.usable(), 2);
}

TEST_F(ProcessorsTest, TheLeastOfAllGroupsAboveCounts) {
  write("proc/self/cgroup", "0::/slice/pod/box");
  write("sys/fs/cgroup/slice/cpu.max", "400000 100000");
  write("sys/fs/cgroup/slice/pod/cpu.max", "300000 100000");
  write("sys/fs/cgroup/slice/pod/box/cpu.max", "max 100000");
  EXPECT_EQ(processors(first(16), root_).usable(), 3);
}

TEST_F(ProcessorsTest, APathOfTheHostFallsBackToTheMountedRoot) {
  write("proc/self/cgroup", "0::/docker/0123");
  write("sys/fs/cgroup/cpu.max", "500000 100000");
  EXPECT_EQ(processors(first(16), root_).usable(), 5);
}

TEST_F(ProcessorsTest, VersionOneIsReadToo) {
  write("proc/self/cgroup", "5:memory:/a\n4:cpu,cpuacct:/docker/0123\n0::/");
  write("sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "600000");
  write("sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us", "100000");
  EXPECT_EQ(processors(first(16), root_).usable(), 6);
  write("sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(processors(first(16), root_).usable(), 16);
}

TEST_F(ProcessorsTest, LessThanAProcessorIsStillOneThread) {
  write("proc/self/cgroup", "0::/");
  write("sys/fs/cgroup/cpu.max", "50000 100000");
  EXPECT_EQ(processors(first(4), root_).usable(), 1);
}

TEST_F(ProcessorsTest, NonsenseIsNoLimit) {
  write("proc/self/cgroup", "nonsense\n0::/\n:");
  write("sys/fs/cgroup/cpu.max", "many of them");
  EXPECT_EQ(processors(first(4), root_).usable(), 4);
}

TEST(ThreadRule, LeavesLoaderThreadsTheirProcessorsWhereThereAreMany) {
  const auto rule = [](int64_t usable) {
    const ThreadRule found = thread_rule(usable);
    return std::vector<int64_t>{found.threads, found.workers};
  };
  EXPECT_EQ(rule(1), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(rule(2), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(rule(7), (std::vector<int64_t>{7, 1}));
  EXPECT_EQ(rule(16), (std::vector<int64_t>{12, 4}));
  EXPECT_EQ(rule(128), (std::vector<int64_t>{96, 32}));
}

}  // namespace
}  // namespace avbench::io
