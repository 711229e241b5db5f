// How much memory this process may still take.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/buffer.h"

namespace ivl {

// Bytes: the smaller of the system's MemAvailable and what the cgroup leaves (v2 and v1). The largest int64 where
// neither can be read.
int64_t available_host_memory();

// Zeroed or untouched-and-lazily-zero memory, aligned to cache lines. Error(OutOfMemory) with both numbers if it does not
// fit: Linux grants more address space than it has memory and kills the process later, so requests from 64 MiB on are
// compared with what is available first.
Buffer allocate_host(size_t bytes);

}  // namespace ivl
