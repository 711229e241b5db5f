// The four lanes that share a row of a matrix product's result (PTX ISA, "Matrix Fragments for mma.m16n8k16").
#pragma once

#include "device/reduce.h"

namespace gpu {

// Lane q of four holds columns 2q and 2q + 1 of eight (`low`) and of the next eight (`high`); it gets columns 4q to
// 4q + 3 of the sixteen. The four then write a sector of one row. All lanes of the warp call it.
GPU_DEVICE void four_neighbours(const float (&low)[2], const float (&high)[2], float (&four)[4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int q = lane % 4;
  const int from = lane - q + q % 2 * 2;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float a = __shfl_sync(kAllLanes, low[i % 2], from + i / 2);
    const float b = __shfl_sync(kAllLanes, high[i % 2], from + i / 2);
    four[i] = q < 2 ? a : b;
  }
}

}  // namespace gpu
