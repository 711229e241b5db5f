// Runs a grid: block after block, each CUDA thread a fiber. A thread runs until it waits for its warp or its block, so
// between two waits a block's threads run one after the other; that this hides no fault is what the race check is for.
//
// Order is by a seed, the same every time; results that depend on it are races, which are reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace simt {

struct Dim3 {
  uint32_t x = 1;
  uint32_t y = 1;
  uint32_t z = 1;
  uint32_t count() const { return x * y * z; }
};

struct LaunchShape {
  Dim3 grid;
  Dim3 block;
  size_t shared_bytes = 0;
  size_t shared_allowed = SIZE_MAX;  // with the kernel's own arrays
};

struct Options {
  // Off: accesses are held against allocations and alignment only, which is about twice as fast.
  bool checks = true;
  bool counters = false;  // coalescing and bank conflicts, see counters.h
  uint64_t seed = 0;      // of the order of warps
};

Options& options();

// What a thread of the grid knows about itself.
struct ThreadIndex {
  Dim3 thread;
  Dim3 block;
};

// Runs `kernel`, the work that runs (order.h), once for each thread of the grid on this device and returns when all have
// ended. A divergence ends the launch early, with a report.
void run_grid(const char* name, const LaunchShape& shape, int device, const std::function<void()>& kernel);

// ---- on a thread of a grid ---------------------------------------------------------------------------------------------

const ThreadIndex& this_thread();
const LaunchShape& this_launch();
int this_device();
uint32_t this_lane();
// Empty outside of kernels.
std::string current_kernel();
bool in_kernel();
// The block's array that is declared at `place`, behind its dynamic shared memory.
void* static_shared(const void* place, size_t bytes);

// All threads of the block meet here; accesses before it are ordered before those after it.
void block_barrier(const void* pc);

// __threadfence(), see fences.h.
void thread_fence();
// Ends the launch here and now, as a fault ends it on a GPU: the running thread does not come back from it.
[[noreturn]] void abandon_launch();

// The lanes of `mask` meet; the last to come runs apply(arguments), with an entry for each lane (null outside of the
// mask), then all go on. `orders_memory` as __syncwarp does and shuffles do not.
using WarpFunction = void (*)(void* const (&arguments)[32]);
void warp_collective(const char* name, uint32_t mask, WarpFunction apply, void* argument, bool orders_memory, const void* pc);

}  // namespace simt
