// What a block gets of shared memory without asking.
#pragma once

#include <cstddef>

namespace gpu {

// Above this a kernel must ask (cudaFuncAttributeMaxDynamicSharedMemorySize), its own GPU_SHARED arrays counted in; no kernel of
// ours has more of them than 8 KiB.
constexpr bool must_be_asked_for(size_t dynamic_bytes) { return dynamic_bytes + 8 * 1024 > 48 * 1024; }

}  // namespace gpu
