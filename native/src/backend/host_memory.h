// How much memory this process may still take.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ivl {

// Bytes: the smaller of the system's MemAvailable and what the cgroup leaves (v2 and v1). The largest int64 where
// neither can be read.
int64_t available_host_memory();

// Error(OutOfMemory) with both numbers if `bytes` do not fit. Linux grants more address space than it has memory and
// kills the process later, so large requests are compared first. Small ones (below 64 MiB) pass unread.
void require_host_memory(size_t bytes, const char* what);

}  // namespace ivl
