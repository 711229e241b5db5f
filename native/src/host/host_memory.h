// How much memory this process may still take, and the memory itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/memory_account.h"
#include "tensor/buffer.h"

namespace ivl {

// Of all large buffers in host memory.
MemoryAccount& host_account();

// Bytes: the smaller of the system's MemAvailable and what the cgroups leave (v2 and v1), less what host_account() has promised. The
// largest int64 where neither can be read.
int64_t available_host_memory();

// Zeroed or untouched-and-lazily-zero memory, aligned to cache lines. Error(OutOfMemory) with both numbers if it does not
// fit: Linux grants more address space than it has memory and kills the process later, so large buffers are counted by
// host_account().
Buffer allocate_host(size_t bytes);

}  // namespace ivl
