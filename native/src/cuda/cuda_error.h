// CUDA's error codes as the runtime's exceptions.
#pragma once

#include "device/types.h"
#include "tensor/error.h"

namespace ivl::cuda {

// Error(OutOfMemory) or Error(Internal) that names the operation, unless it succeeded. After one of CUDA's lasting errors
// (an illegal address, say) every later operation fails too: the process needs a new start, and the message says so.
inline void check(cudaError_t error, const char* operation) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  const Status status = error == cudaErrorMemoryAllocation ? Status::OutOfMemory : Status::Internal;
  const char* lasting = error == cudaErrorLaunchFailure ? "; the GPU can be used again after a restart" : "";
  fail(status, cat("CUDA: ", operation, " failed: ", cudaGetErrorName(error), " (", cudaGetErrorString(error), ")", lasting));
}

}  // namespace ivl::cuda
