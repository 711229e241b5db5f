// The part of the CUDA runtime's names that launches need.
#pragma once

#include <functional>

#include "emulation/block.h"

using dim3 = simt::Dim3;

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorInvalidConfiguration = 9 };

struct CUstream_st;
using cudaStream_t = CUstream_st*;

namespace simt {

// The device that launches go to.
void set_device(int device);
int device();

// Runs the kernel now: one stream is enough for a kernel's own test.
cudaError_t enqueue_kernel(const char* name, const LaunchShape& shape, cudaStream_t stream,
                           const std::function<void()>& kernel);

}  // namespace simt
