#include "host/host_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "host/cgroup.h"
#include "host/system_file.h"
#include "tensor/error.h"

namespace ivl {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMapped = size_t{1} << 20;  // from here on pages come straight from the system, and lazily

int64_t available_now() {
  const int64_t unknown = std::numeric_limits<int64_t>::max();
  const auto kibibytes = field_in("/proc/meminfo", "MemAvailable:");
  return std::min(kibibytes ? *kibibytes * 1024 : unknown, cgroup_memory_left());
}

void release_heap(void*, void* data, size_t) noexcept { std::free(data); }
void release_pages(void*, void* data, size_t) noexcept { host_account().unmap(data); }

}  // namespace

MemoryAccount& host_account() {
  static auto* account = new MemoryAccount(available_now);  // outlives every buffer, whoever is destroyed last
  return *account;
}

int64_t available_host_memory() { return host_account().left(); }

Buffer allocate_host(size_t bytes) {
  if (bytes == 0) return {};
  if (bytes >= kMapped) return {host_account().map(bytes), bytes, release_pages, nullptr};
  void* data = nullptr;
  if (posix_memalign(&data, kAlignment, bytes) != 0) {
    fail(Status::OutOfMemory, cat("the system has no ", bytes, " bytes of memory left"));
  }
  std::memset(data, 0, bytes);
  return {data, bytes, release_heap, nullptr};
}

}  // namespace ivl
