#include "cpu/cgroup.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

namespace ivl::cpu {
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

}  // namespace
}  // namespace ivl::cpu
