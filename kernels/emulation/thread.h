// A CUDA thread as the emulation keeps it; for the emulation's own files.
#pragma once

#include <vector>

#include "emulation/async_copy.h"
#include "emulation/block.h"
#include "emulation/counters.h"
#include "emulation/fences.h"
#include "emulation/fiber.h"
#include "emulation/memory.h"
#include "emulation/warpgroup_reads.h"

namespace simt {

enum class Wait { Nothing, Warp, Block, Ended };

struct Thread {
  ThreadIndex index;
  uint32_t number = 0;  // in the block
  // What this thread's accesses are marked with. Two accesses of one launch are ordered if one thread made both, or, in
  // one block, the epochs of block barriers differ, or, in one warp, those of __syncwarp do; or if `fences` say so.
  Access clock;
  Fences fences;

  Wait wait = Wait::Ended;
  const void* pc = nullptr;  // of what it waits at
  const char* collective = nullptr;
  uint32_t mask = 0;
  WarpFunction apply = nullptr;
  void* argument = nullptr;
  bool orders_memory = false;

  AsyncCopies copies;
  WarpgroupReads products;
  std::vector<Event> events;  // for the counters, since the last time the warp met
  Fiber fiber;
};

// The thread that runs.
Thread& this_fiber();

}  // namespace simt
