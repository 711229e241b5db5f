// Products of many rows by Hopper's warpgroup instructions, which are compute capability 9.0's alone. gemm() and int8_gemm() call
// them where they are to be had.
#pragma once

#include "gemm.h"
#include "int8.h"

namespace gpu {

// With fewer rows much of these tiles would be empty.
constexpr int kWarpgroupRows = 256;

// Whether the current device can run what follows.
bool has_warpgroup_products();

template <class T>
cudaError_t warpgroup_gemm(const Gemm<T>& product, cudaStream_t stream);
// Without digests.
template <class T>
cudaError_t warpgroup_int8_gemm(const Int8Gemm<T>& product, cudaStream_t stream);

}  // namespace gpu
