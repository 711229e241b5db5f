// Sums and maxima over a warp and a block, in one fixed order. Of whole numbers (masses, keys) any order would do.
#pragma once

#include "device/gpu.h"

namespace gpu {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

GPU_DEVICE int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
GPU_DEVICE int warp() { return static_cast<int>(threadIdx.x) / kWarp; }

struct Sum {
  using Value = float;
  GPU_DEVICE float operator()(float a, float b) const { return a + b; }
  static constexpr float kNeutral = 0;
};

struct Max {
  using Value = float;
  GPU_DEVICE float operator()(float a, float b) const { return fmaxf(a, b); }
  static constexpr float kNeutral = -INFINITY;
};

struct WholeSum {
  using Value = uint64_t;
  GPU_DEVICE uint64_t operator()(uint64_t a, uint64_t b) const { return a + b; }
  static constexpr uint64_t kNeutral = 0;
};

struct WholeMax {
  using Value = uint64_t;
  GPU_DEVICE uint64_t operator()(uint64_t a, uint64_t b) const { return a > b ? a : b; }
  static constexpr uint64_t kNeutral = 0;
};

// Over the lanes of a warp, the result in every lane: a butterfly, so all lanes add in the same order.
template <class Operation>
GPU_DEVICE typename Operation::Value warp_reduce(typename Operation::Value x, Operation operation = {}) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    x = operation(x, __shfl_xor_sync(kAllLanes, x, step));
  }
  return x;
}

// Over the `Threads` threads of a block, the result in every thread. Every thread of the block calls it. `scratch` is
// shared memory of Threads / 32 values, free for other use after the next barrier.
template <int Threads, class Operation>
GPU_DEVICE typename Operation::Value block_reduce(typename Operation::Value x, typename Operation::Value* scratch,
                                                  Operation operation = {}) {
  static_assert(Threads % kWarp == 0 && Threads <= kWarp * kWarp);
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  x = warp_reduce(x, operation);
  if (lane == 0) {
    scratch[warp] = x;
  }
  __syncthreads();
  x = lane < Threads / kWarp ? scratch[lane] : Operation::kNeutral;
  return warp_reduce(x, operation);
}

// How many the lanes before this one have in sum; `total` is that of all. Lists made with it are in the lanes' order.
GPU_DEVICE int warp_exclusive_sum(int count, int& total) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  int inclusive = count;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const int other = __shfl_up_sync(kAllLanes, inclusive, step);
    inclusive += lane >= step ? other : 0;
  }
  total = __shfl_sync(kAllLanes, inclusive, kWarp - 1);
  return inclusive - count;
}

// The same for the threads of a block. Every thread of the block calls it. `scratch` is shared memory of Threads / 32.
template <int Threads>
GPU_DEVICE int block_exclusive_sum(int count, int* scratch, int& total) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  int of_warp = 0;
  int before = warp_exclusive_sum(count, of_warp);
  if (threadIdx.x % kWarp == 0) {
    scratch[warp] = of_warp;
  }
  __syncthreads();
  total = 0;
#pragma unroll
  for (int w = 0; w < Threads / kWarp; w++) {
    before += w < warp ? scratch[w] : 0;
    total += scratch[w];
  }
  __syncthreads();
  return before;
}

}  // namespace gpu
