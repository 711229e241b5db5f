#include "backend/host_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
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

constexpr size_t kAlignment = 64;
constexpr size_t kMapped = size_t{1} << 20;  // from here on pages come straight from the system, and lazily
constexpr size_t kHuge = size_t{4} << 20;    // from here on huge pages are worth asking for

void release_heap(void*, void* data, size_t) noexcept { std::free(data); }
void release_pages(void*, void* data, size_t bytes) noexcept { munmap(data, bytes); }

}  // namespace

int64_t available_host_memory() {
  const std::string v2 = "/sys/fs/cgroup/";
  const std::string v1 = "/sys/fs/cgroup/memory/";
  return std::min({field_in("/proc/meminfo", "MemAvailable:", 1024, kUnknown),
                   cgroup_left(v2 + "memory.max", v2 + "memory.current", v2 + "memory.stat", "inactive_file"),
                   cgroup_left(v1 + "memory.limit_in_bytes", v1 + "memory.usage_in_bytes", v1 + "memory.stat",
                               "total_inactive_file")});
}

Buffer allocate_host(size_t bytes) {
  if (bytes == 0) return {};
  if (bytes >= kSmall) {
    const auto available = static_cast<uint64_t>(available_host_memory());
    if (bytes > available) {
      fail(Status::OutOfMemory,
           cat(bytes >> 20, " MiB of memory are needed, but ", available >> 20, " MiB are available"));
    }
  }
  if (bytes < kMapped) {
    void* data = nullptr;
    if (posix_memalign(&data, kAlignment, bytes) != 0) {
      fail(Status::OutOfMemory, cat("the system has no ", bytes, " bytes of memory left"));
    }
    std::memset(data, 0, bytes);
    return {data, bytes, release_heap, nullptr};
  }
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail(Status::OutOfMemory, cat("the system has no ", bytes >> 20, " MiB of memory left"));
  if (bytes >= kHuge) madvise(data, bytes, MADV_HUGEPAGE);
  return {data, bytes, release_pages, nullptr};
}

}  // namespace ivl
