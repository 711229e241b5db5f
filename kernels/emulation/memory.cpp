#include "emulation/memory.h"

#include <sys/mman.h>

#include <array>
#include <cstring>
#include <map>
#include <stdexcept>

namespace simt {
namespace {

constexpr size_t kGap = 4096;

std::byte* addresses() {
  static std::byte* const first = [] {
    void* memory = mmap(nullptr, kDevices * kArenaBytes + kSharedBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      throw std::runtime_error("emulation: cannot reserve address space");
    }
    first_device_address = reinterpret_cast<uintptr_t>(memory);
    return static_cast<std::byte*>(memory);
  }();
  return first;
}

struct Arena {
  size_t used = 0;  // of the addresses
  size_t in_use = 0;
  size_t capacity = size_t{16} << 30;
  std::map<const std::byte*, Allocation> live;
  Allocation* found = nullptr;  // the one of them that was asked for last, and most likely is again
};

std::array<Arena, kDevices>& arenas() {
  static std::array<Arena, kDevices> all;
  return all;
}

bool only_addresses = false;

Allocation& shared() {
  static Allocation memory{addresses() + kDevices * kArenaBytes, 0, 0, Space::Shared, Cells(kSharedBytes), {}, 0, true, {}};
  return memory;
}

Arena* arena_of(const void* address) {
  const size_t device = (reinterpret_cast<uintptr_t>(address) - first_device_address) / kArenaBytes;
  return device < kDevices ? &arenas()[device] : nullptr;
}

// The cell has another reader now, and this one is not before it.
void keep_reader(Allocation& allocation, size_t byte, WorkId reader) {
  std::vector<WorkId>& readers = allocation.readers_elsewhere[byte / 2];
  std::erase_if(readers, [](WorkId one) { return order().comes_before_running(one); });
  readers.push_back(reader);
  allocation.cells.of(byte).read_elsewhere = 1;
}

void check_readers_elsewhere(Allocation& allocation, size_t byte) {
  for (const WorkId reader : allocation.readers_elsewhere[byte / 2]) {
    if (!order().comes_before_running(reader)) {
      order().report_unordered(reader, allocation.device);
    }
  }
  allocation.readers_elsewhere.erase(byte / 2);
  allocation.cells.of(byte).read_elsewhere = 0;
}

}  // namespace

void set_addresses_only(bool only) { only_addresses = only; }
bool addresses_only() { return only_addresses; }

std::byte* allocate_global(size_t bytes, int device) {
  Arena& arena = arenas().at(static_cast<size_t>(device));
  if (arena.live.empty()) {
    arena.used = kGap;  // a step before the first allocation is seen too
  }
  const size_t room = (bytes + 255) / 256 * 256 + kGap;
  if (bytes > arena.capacity - arena.in_use || room > kArenaBytes - arena.used) {
    return nullptr;
  }
  std::byte* begin = addresses() + static_cast<size_t>(device) * kArenaBytes + arena.used;
  arena.used += room;
  arena.in_use += bytes;
  arena.live[begin] = {begin, bytes, device, Space::Global, Cells(only_addresses ? 0 : bytes), {}, 0, true, {}};
  return begin;
}

bool free_global(void* begin) {
  Arena* arena = arena_of(begin);
  if (arena == nullptr) {
    return false;
  }
  const auto at = arena->live.find(static_cast<const std::byte*>(begin));
  if (at == arena->live.end()) {
    return false;
  }
  arena->in_use -= at->second.bytes;
  madvise(begin, at->second.bytes, MADV_DONTNEED);
  arena->found = nullptr;
  arena->live.erase(at);
  return true;
}

void set_device_capacity(int device, size_t bytes) { arenas().at(static_cast<size_t>(device)).capacity = bytes; }

size_t device_capacity(int device) { return arenas().at(static_cast<size_t>(device)).capacity; }

size_t device_bytes_in_use(int device) { return arenas().at(static_cast<size_t>(device)).in_use; }

int64_t live_allocations() {
  int64_t count = 0;
  for (const Arena& arena : arenas()) {
    count += static_cast<int64_t>(arena.live.size());
  }
  return count;
}

void open_global(bool open) {
  if (mprotect(addresses(), kDevices * kArenaBytes, open ? PROT_READ | PROT_WRITE : PROT_NONE) != 0) {
    throw std::runtime_error("emulation: cannot change the protection of device memory");
  }
}

Allocation* find_allocation(const void* address) {
  Allocation& block = shared();
  if (block.holds(address, 1)) {
    return &block;
  }
  Arena* arena = arena_of(address);
  if (arena == nullptr || arena->live.empty()) {
    return nullptr;
  }
  if (arena->found != nullptr && arena->found->holds(address, 1)) {
    return arena->found;
  }
  auto at = arena->live.upper_bound(static_cast<const std::byte*>(address));
  if (at == arena->live.begin()) {
    return nullptr;
  }
  --at;
  if (!at->second.holds(address, 1)) {
    return nullptr;
  }
  arena->found = &at->second;
  return arena->found;
}

void mark_read(const void* address, size_t bytes) {
  Allocation* allocation = find_allocation(address);
  if (allocation == nullptr) {
    return;
  }
  const bool behind = comes_behind_users(*allocation);
  const size_t first = allocation->offset(address);
  allocation->cells.visit(first, first + bytes, !behind, [&](Cell& cell, size_t byte, uint8_t) {
    if (!behind) {
      order_read(*allocation, byte);
    }
    cell.readers[0] = {};
    cell.readers[0].launch = running_work;
  });
}

void mark_written(void* address, size_t bytes) {
  Allocation* allocation = find_allocation(address);
  if (allocation == nullptr) {
    return;
  }
  const bool behind = allocation->space == Space::Shared || comes_behind_users(*allocation);
  const size_t first = allocation->offset(address);
  allocation->cells.visit(first, first + bytes, !behind, [&](Cell& cell, size_t byte, uint8_t bits) {
    if (!behind) {
      order_write(*allocation, byte);
    }
    cell.written |= bits;
    cell.writer = {};
    cell.writer.launch = running_work;
  });
}

void add_user(Allocation& allocation) {
  allocation.last_user = running_work;
  allocation.last_is_behind = order().add_running_to(allocation.users);
}

void order_read(Allocation& allocation, size_t byte) {
  const Cell& cell = allocation.cells.of(byte);
  const WorkId writer = cell.writer.launch, reader = cell.readers[0].launch;
  if (writer == running_work || reader == running_work) {
    return;  // not the first time
  }
  if (!order().comes_before_running(writer)) {
    order().report_unordered(writer, allocation.device);
  }
  if (!order().comes_before_running(reader)) {
    keep_reader(allocation, byte, reader);
  }
}

void order_write(Allocation& allocation, size_t byte) {
  const Cell& cell = allocation.cells.of(byte);
  if (cell.writer.launch == running_work) {
    return;
  }
  for (const WorkId other : {cell.writer.launch, cell.readers[0].launch}) {
    if (!order().comes_before_running(other)) {
      order().report_unordered(other, allocation.device);
    }
  }
  if (cell.read_elsewhere != 0) {
    check_readers_elsewhere(allocation, byte);
  }
}

Allocation& shared_memory() { return shared(); }

void reset_shared_memory(size_t bytes) {
  Allocation& block = shared();
  block.bytes = 0;
  block.cells.forget();
  grow_shared_memory(bytes);
}

void grow_shared_memory(size_t bytes) {
  Allocation& block = shared();
  if (bytes > kSharedBytes) {
    throw std::runtime_error("emulation: more shared memory than any device has");
  }
  if (bytes > block.bytes) {
    // A wrong result, should a read before a write ever go unseen.
    std::memset(block.begin + block.bytes, 0xCD, bytes - block.bytes);
    block.bytes = bytes;
  }
}

}  // namespace simt
