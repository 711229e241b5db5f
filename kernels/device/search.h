// Where in an order a sum of whole numbers passes a target, found by a block: so a rank, a share of the probability or a random
// number becomes a token without a sort.
#pragma once

#include "device/reduce.h"

namespace gpu {

// What the block's threads before this one have in sum. Every thread of the block calls it. `scratch` as for block_reduce.
template <int Threads>
GPU_DEVICE uint64_t exclusive_sum(uint64_t own, uint64_t* scratch) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  uint64_t inclusive = own;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const uint64_t other = __shfl_up_sync(kAllLanes, inclusive, step);
    inclusive += lane >= step ? other : 0;
  }
  if (lane == kWarp - 1) {
    scratch[warp] = inclusive;
  }
  __syncthreads();
  uint64_t before = 0;
  for (int w = 0; w < warp; w++) {
    before += scratch[w];
  }
  return before + inclusive - own;
}

struct Passed {
  int place;
  uint64_t before;  // the sum of the weights before it
};

// The first of `places`, at most 2 * Threads, at which the sum of the weights up to it exceeds `target`, which is less than the
// sum of all. Every thread of the block calls it; `scratch` and `result` are shared memory for this alone.
template <int Threads, class Weight>
GPU_DEVICE Passed find_passed(int places, const Weight& weight, uint64_t target, uint64_t* scratch, Passed* result) {
  const int first = 2 * static_cast<int>(threadIdx.x);
  const uint64_t one = first < places ? weight(first) : 0;
  const uint64_t two = first + 1 < places ? weight(first + 1) : 0;
  const uint64_t before = exclusive_sum<Threads>(one + two, scratch);
  if (before <= target && target - before < one + two) {
    const bool second = target - before >= one;
    *result = {first + (second ? 1 : 0), second ? before + one : before};
  }
  __syncthreads();
  return {result->place, result->before};
}

}  // namespace gpu
