// What the system's control groups grant this process.
#pragma once

#include <cstdint>
#include <filesystem>

namespace ivl {

// Both look at the process' cgroup (v2 or v1) and at all above it, since the limit of each holds. `root` stands for the file system's
// own in tests.

// Processors' worth of time, the least that one grants; infinity where none sets a limit.
double cgroup_processors(const std::filesystem::path& root = "/");

// Bytes of memory, the least that one has left until its limit (of v2 memory.max, or memory.high, from which on the system slows the
// process down to a crawl); the largest int64 where none sets a limit.
int64_t cgroup_memory_left(const std::filesystem::path& root = "/");

}  // namespace ivl
