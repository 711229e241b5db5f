#include "host/cgroup.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>

namespace ivl {
namespace {

// A file system of a few files, gone with the test.
class Root {
 public:
  // Tests run side by side.
  Root() : path_(std::filesystem::path(::testing::TempDir()) / ("ivl-cgroup-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
  }
  ~Root() { std::filesystem::remove_all(path_); }
  Root& with(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text << "\n";
    return *this;
  }
  double processors() const { return cgroup_processors(path_); }
  int64_t memory() const { return cgroup_memory_left(path_); }

 private:
  std::filesystem::path path_;
};

TEST(Cgroup, WithoutALimitThereIsNone) {
  EXPECT_TRUE(std::isinf(Root().processors()));
  EXPECT_TRUE(std::isinf(Root().with("proc/self/cgroup", "0::/").with("sys/fs/cgroup/cpu.max", "max 100000").processors()));
}

TEST(Cgroup, TheLeastQuotaOnTheWayUpCounts) {
  Root root;
  root.with("proc/self/cgroup", "0::/a.slice/b.service")
      .with("sys/fs/cgroup/a.slice/b.service/cpu.max", "300000 100000")
      .with("sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(root.processors(), 3);
  EXPECT_EQ(root.with("sys/fs/cgroup/a.slice/cpu.max", "150000 100000").processors(), 1.5);
}

// Docker without a cgroup namespace: the path is the host's, the files are the container's.
TEST(Cgroup, AContainersOwnGroupIsAtTheTop) {
  Root root;
  root.with("proc/self/cgroup", "0::/docker/0123").with("sys/fs/cgroup/cpu.max", "200000 100000");
  EXPECT_EQ(root.processors(), 2);
}

TEST(Cgroup, VersionOneIsRead) {
  Root root;
  root.with("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/x\n")
      .with("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "50000")
      .with("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000")
      .with("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
      .with("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(root.processors(), 0.5);
}

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

TEST(Cgroup, WithoutALimitMemoryIsNotLimited) {
  EXPECT_EQ(Root().memory(), kNoLimit);
  Root root;
  root.with("proc/self/cgroup", "0::/a").with("sys/fs/cgroup/a/memory.max", "max").with("sys/fs/cgroup/a/memory.current", "5000");
  EXPECT_EQ(root.memory(), kNoLimit);
}

// As systemd's MemoryMax sets it: not at the root.
TEST(Cgroup, TheLeastMemoryLeftOnTheWayUpCounts) {
  Root root;
  root.with("proc/self/cgroup", "0::/user.slice/run-7.scope")
      .with("sys/fs/cgroup/user.slice/run-7.scope/memory.max", "1000000")
      .with("sys/fs/cgroup/user.slice/run-7.scope/memory.current", "300000")
      .with("sys/fs/cgroup/user.slice/run-7.scope/memory.stat", "anon 200000\ninactive_file 40000\nactive_file 60000");
  EXPECT_EQ(root.memory(), 740000);
  root.with("sys/fs/cgroup/user.slice/memory.max", "2000000").with("sys/fs/cgroup/user.slice/memory.current", "1900000");
  EXPECT_EQ(root.memory(), 100000);
  root.with("sys/fs/cgroup/user.slice/memory.current", "2100000");
  EXPECT_EQ(root.memory(), 0);
}

TEST(Cgroup, MemoryHighIsALimitToo) {
  Root root;
  root.with("proc/self/cgroup", "0::/a")
      .with("sys/fs/cgroup/a/memory.max", "max")
      .with("sys/fs/cgroup/a/memory.high", "800")
      .with("sys/fs/cgroup/a/memory.current", "300");
  EXPECT_EQ(root.memory(), 500);
}

TEST(Cgroup, MemoryOfVersionOneIsRead) {
  Root root;
  root.with("proc/self/cgroup", "9:memory:/x/y\n4:cpu,cpuacct:/x\n")
      .with("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1000")
      .with("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "900")
      .with("sys/fs/cgroup/memory/x/memory.stat", "inactive_file 1\ntotal_inactive_file 50")
      .with("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
      .with("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000");
  EXPECT_EQ(root.memory(), 150);
}

// A container without a namespace of its own, whose process is in a group below the container's: the mount shows the container's
// group as its top.
TEST(Cgroup, WhatIsMountedSaysWhereAGroupIs) {
  Root root;
  root.with("proc/self/cgroup", "0::/docker/0123/job")
      .with("proc/self/mountinfo",
            "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
            "36 25 0:29 /docker/0123 /cg rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate")
      .with("cg/job/memory.max", "600")
      .with("cg/job/memory.current", "100")
      .with("cg/cpu.max", "200000 100000");
  EXPECT_EQ(root.memory(), 500);
  EXPECT_EQ(root.processors(), 2);
}

TEST(Cgroup, VersionOnesHierarchiesAreMountedEachOnItsOwn) {
  Root root;
  root.with("proc/self/cgroup", "3:memory:/j\n2:cpu,cpuacct:/j\n0::/j")
      .with("proc/self/mountinfo",
            "30 25 0:26 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw\n"
            "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:8 - cgroup cgroup rw,cpu,cpuacct\n"
            "34 25 0:30 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory")
      .with("sys/fs/cgroup/cpu,cpuacct/j/cpu.cfs_quota_us", "300000")
      .with("sys/fs/cgroup/cpu,cpuacct/j/cpu.cfs_period_us", "100000")
      .with("sys/fs/cgroup/memory/j/memory.limit_in_bytes", "700")
      .with("sys/fs/cgroup/memory/j/memory.usage_in_bytes", "0");
  EXPECT_EQ(root.memory(), 700);
  EXPECT_EQ(root.processors(), 3);
}

}  // namespace
}  // namespace ivl
