// What the launchers' headers need, of CUDA and of ours; host code includes nothing else of this folder.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(GPU_EMULATED)
#include "emulation/runtime.h"
#define GPU_ANYWHERE inline
#else
#include <cuda_runtime_api.h>
// For kernels and for host code.
#define GPU_ANYWHERE __host__ __device__ __forceinline__
#endif

namespace gpu {

// bfloat16 and IEEE half as storage; see number.h.
struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

// A matrix in device memory: rows of T, `stride` elements from one to the next. Kernels that move 16 bytes at a time
// need strides that are multiples of 8 elements and 16-byte aligned data; each says so.
template <class T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;
};

}  // namespace gpu
