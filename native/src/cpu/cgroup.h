// The share of the processors' time that the system grants this process.
#pragma once

#include <filesystem>

namespace ivl::cpu {

// Processors' worth of time, the least that this process' cgroup (v2 or v1) or one above it grants; infinity where none sets a
// limit. `root` stands for the file system's own in tests.
double cgroup_processors(const std::filesystem::path& root = "/");

}  // namespace ivl::cpu
