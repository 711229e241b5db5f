#include "backend/host_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "tensor/error.h"

namespace ivl {
namespace {

constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();
constexpr size_t kSmall = size_t{64} << 20;

int64_t number_in(const std::string& path) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value ? value : kUnknown;  // also for cgroup v2's "max"
}

// The value in bytes of a "Name:  123 kB" or "name 123" line.
int64_t field_in(const std::string& path, const std::string& name, int64_t unit, int64_t otherwise) {
  std::ifstream file(path);
  std::string word;
  int64_t value = 0;
  while (file >> word) {
    if (word == name && file >> value) return value * unit;
  }
  return otherwise;
}

int64_t cgroup_left(const std::string& limit, const std::string& usage, const std::string& statistics,
                    const std::string& cache) {
  const int64_t most = number_in(limit);
  const int64_t used = number_in(usage);
  if (most == kUnknown || used == kUnknown) return kUnknown;
  // Pages of files count as used although the kernel gives them back first.
  return std::max<int64_t>(0, most - used + field_in(statistics, cache, 1, 0));
}

}  // namespace

int64_t available_host_memory() {
  const std::string v2 = "/sys/fs/cgroup/";
  const std::string v1 = "/sys/fs/cgroup/memory/";
  return std::min({field_in("/proc/meminfo", "MemAvailable:", 1024, kUnknown),
                   cgroup_left(v2 + "memory.max", v2 + "memory.current", v2 + "memory.stat", "inactive_file"),
                   cgroup_left(v1 + "memory.limit_in_bytes", v1 + "memory.usage_in_bytes", v1 + "memory.stat",
                               "total_inactive_file")});
}

void require_host_memory(size_t bytes, const char* what) {
  if (bytes < kSmall) return;
  const int64_t available = available_host_memory();
  if (bytes > static_cast<uint64_t>(available)) {
    fail(Status::OutOfMemory, cat(what, " needs ", bytes >> 20, " MiB, but ", available >> 20, " MiB are available"));
  }
}

}  // namespace ivl
