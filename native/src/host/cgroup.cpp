#include "host/cgroup.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "host/system_file.h"

namespace ivl {
namespace {

using std::filesystem::path;

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

// Where a hierarchy of groups is mounted, and which of its groups is the uppermost there: in a container it may be the container's.
struct Mount {
  path at;
  path top = "/";
};

bool is_listed(const std::string& name, const std::string& list) {
  return ("," + list + ",").find("," + name + ",") != std::string::npos;
}

// The controller's own hierarchy in v1, that of all in v2.
Mount mount_of(const std::string& controller, bool v2, const path& root) {
  // Lines of: id parent device top mount-point options [optional fields] - type source options.
  std::ifstream mounts(root / "proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string skipped, top, point, type, options;
    before >> skipped >> skipped >> skipped >> top >> point;
    after >> type >> skipped >> options;
    if (v2 ? type == "cgroup2" : type == "cgroup" && is_listed(controller, options)) {
      return {root / path(point).relative_path(), top};
    }
  }
  return {v2 ? root / "sys/fs/cgroup" : root / "sys/fs/cgroup" / controller};
}

// The group as a path below the mount. Where that does not show it, in a container whose groups are named as on the host, only the
// uppermost is found, and is the right one.
path below(const Mount& mount, const path& group) {
  const path relative = group.lexically_normal().lexically_relative(mount.top);
  const bool inside = !relative.empty() && *relative.begin() != "..";
  const path shown = inside ? relative : group.lexically_normal().relative_path();
  return shown == "." ? path() : shown;
}

// The folders of the process' groups that have a say in what `controller` limits, each with those above it.
void each_group(const std::string& controller, const path& root, const std::function<void(const path&, bool v2)>& visit) {
  // Lines of number:controllers:path; v2's has no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && !is_listed(controller, controllers)) continue;
    const Mount mount = mount_of(controller, v2, root);
    for (path group = below(mount, line.substr(second + 1));; group = group.parent_path()) {
      visit(mount.at / group, v2);
      if (group.empty()) break;
    }
  }
}

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

int64_t memory_left_in(const path& group, bool v2) {
  const auto number = [&](const char* file) { return number_in(group / file).value_or(kNoLimit); };  // also for "max"
  const int64_t most = v2 ? std::min(number("memory.max"), number("memory.high")) : number("memory.limit_in_bytes");
  const int64_t used = number(v2 ? "memory.current" : "memory.usage_in_bytes");
  if (most == kNoLimit || used == kNoLimit) return kNoLimit;
  // Pages of files count as used although the kernel gives them back first.
  const int64_t cache = field_in(group / "memory.stat", v2 ? "inactive_file" : "total_inactive_file").value_or(0);
  return std::max<int64_t>(0, most - used + cache);
}

}  // namespace

double cgroup_processors(const path& root) {
  double least = INFINITY;
  each_group("cpu", root, [&](const path& group, bool v2) { least = std::min(least, quota_of(group, v2)); });
  return least;
}

int64_t cgroup_memory_left(const path& root) {
  int64_t least = kNoLimit;
  each_group("memory", root, [&](const path& group, bool v2) { least = std::min(least, memory_left_in(group, v2)); });
  return least;
}

}  // namespace ivl
