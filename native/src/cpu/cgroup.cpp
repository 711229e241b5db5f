#include "cpu/cgroup.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace ivl::cpu {
namespace {

using std::filesystem::path;

double quota_of(const path& group, bool v2) {
  double quota = 0;
  double period = 0;
  if (v2) {
    std::ifstream most(group / "cpu.max");
    most >> quota >> period;  // "max 100000" fails to read as a number
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : INFINITY;
}

// Of the group and all above it. In a container the path may be the host's while the files are the container's own: then only
// the topmost is found, and is the right one.
double least_quota(const path& mount, path group, bool v2) {
  double least = INFINITY;
  for (group = group.relative_path();; group = group.parent_path()) {
    least = std::min(least, quota_of(mount / group, v2));
    if (group.empty()) return least;
  }
}

}  // namespace

double cgroup_processors(const path& root) {
  const path mounts = root / "sys/fs/cgroup";
  double least = INFINITY;
  // Lines of number:controllers:path; v2's has no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const path group = line.substr(second + 1);
    if (controllers == ",,") least = std::min(least, least_quota(mounts, group, true));
    if (controllers.find(",cpu,") != std::string::npos) least = std::min(least, least_quota(mounts / "cpu", group, false));
  }
  return least;
}

}  // namespace ivl::cpu
