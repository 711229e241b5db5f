// Memory that kernels may touch: global memory of each device and the shared memory of the block that runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "emulation/cells.h"
#include "emulation/order.h"

namespace simt {

enum class Space { Global, Shared };

struct Allocation {
  std::byte* begin = nullptr;
  size_t bytes = 0;
  int device = 0;
  Space space = Space::Global;
  Cells cells;
  Clock users;  // the work that touched it
  WorkId last_user = 0;
  bool last_is_behind = true;  // the others
  // By cell: readers before the last one that nothing orders before it.
  std::map<size_t, std::vector<WorkId>> readers_elsewhere;

  size_t offset(const void* address) const { return static_cast<size_t>(static_cast<const std::byte*>(address) - begin); }
  bool holds(const void* address, size_t size) const {
    const auto* at = static_cast<const std::byte*>(address);
    return at >= begin && at + size <= begin + bytes;
  }
};

// Global memory of a device. Allocations are 256-byte aligned with unused space between them, so that a step over an
// end is seen. Freed space is not used again before the arena is empty. Null when the device's memory is full.
std::byte* allocate_global(size_t bytes, int device);
// False if no live allocation begins there.
bool free_global(void* begin);
// Bytes that a device has; for out-of-memory tests. 16 GiB by default.
void set_device_capacity(int device, size_t bytes);
size_t device_capacity(int device);
// For dry runs: memory that is allocated while this is set has addresses, but must not be touched.
void set_addresses_only(bool only);
bool addresses_only();
size_t device_bytes_in_use(int device);
int64_t live_allocations();
// Whether anything may touch global memory: for host code that must not.
void open_global(bool open);

// The live allocation that holds this address, else null.
Allocation* find_allocation(const void* address);
// The addresses of every device's memory, one behind the other, and of shared memory behind them, are reserved together when the
// first is asked for. Before, none is at or behind this one.
inline uintptr_t first_device_address = UINTPTR_MAX / 2;
constexpr size_t kArenaBytes = size_t{256} << 30;
constexpr size_t kSharedBytes = size_t{1} << 20;
constexpr size_t kDevices = 8;
// Whether the address lies where device or shared memory could be: a miss there is a fault, elsewhere it is the
// kernel's own stack or constants. Every access asks.
inline bool is_device_address(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - first_device_address < kDevices * kArenaBytes + kSharedBytes;
}
// A copy or a fill reads or writes these bytes, all of one allocation.
void mark_read(const void* address, size_t bytes);
void mark_written(void* address, size_t bytes);

// The running work uses the allocation. Whether all other work that did so came before it, as it nearly always has: then no cell
// need be looked at for order.
void add_user(Allocation& allocation);
inline bool comes_behind_users(Allocation& allocation) {
  if (allocation.last_user != running_work) {
    add_user(allocation);
  }
  return allocation.last_is_behind;
}

// The running work reads or writes this cell of it. Reported if another piece of work that did so is not ordered with it, unless
// both read.
void order_read(Allocation& allocation, size_t byte);
void order_write(Allocation& allocation, size_t byte);

// The running block's shared memory: `bytes` uninitialized ones at a fixed address.
Allocation& shared_memory();
void reset_shared_memory(size_t bytes);
// Makes it at least this long.
void grow_shared_memory(size_t bytes);

}  // namespace simt
