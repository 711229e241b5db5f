// What every kernel includes first. The same source is compiled by nvcc for a GPU and as plain C++ against emulation/,
// where its body runs on the CPU and every access is checked.
//
// A kernel therefore uses only what is here and in the other headers of this folder: no <<<>>>, no bare __shared__, no
// asm, no __CUDA_ARCH__, no wide casts (see vector.h), full warp masks, no return before a barrier.
#pragma once

#include <type_traits>

#include "device/cost.h"
#include "device/known_kernels.h"
#include "device/launch_log.h"
#include "device/shared_limit.h"
#include "device/types.h"

#if !defined(GPU_EMULATED)

#include <cuda_runtime.h>

#define GPU_DEVICE __device__ __forceinline__
// Shared memory: an array of `count` elements, and the launch's dynamic part.
#define GPU_SHARED(T, name, count) __shared__ __align__(16) T name[count]
#define GPU_DYNAMIC_SHARED(T, name)                                   \
  extern __shared__ __align__(1024) unsigned char gpu_dynamic_smem[]; \
  T* const name = reinterpret_cast<T*>(gpu_dynamic_smem)

namespace gpu {

// Queues the kernel on the stream.
template <class... Parameters>
cudaError_t queue(const char* /*name*/, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
                  cudaStream_t stream, std::decay_t<Parameters>... arguments) {
  if (must_be_asked_for(shared_bytes)) {
    const cudaError_t error =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error != cudaSuccess) {
      return error;
    }
  }
  kernel<<<grid, block, shared_bytes, stream>>>(arguments...);
  return cudaGetLastError();
}

}  // namespace gpu

#else

#include "emulation/device.h"

#endif

namespace gpu {

template <class... Parameters, class... Arguments>
cudaError_t queue_or_note(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
                          cudaStream_t stream, Arguments... arguments) {
  if (LaunchLog* log = launch_log()) {
    log->add(kernel, grid.x, grid.y, grid.z, block.x, block.y, block.z, shared_bytes,
             static_cast<std::decay_t<Parameters>>(arguments)...);
    return cudaSuccess;
  }
  return queue(name, kernel, grid, block, shared_bytes, stream, static_cast<std::decay_t<Parameters>>(arguments)...);
}

// Queues the kernel on the stream, or notes it in the thread's log. `name` is for reports and profiles. That a kernel is launched
// somewhere makes it one of known_kernels; there is no other way to launch one. Some have code for GPUs of one generation alone.
template <auto Kernel, int OnlyMajor = 0, class... Arguments>
cudaError_t launch(const char* name, dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, Arguments... arguments) {
  static_cast<void>(&Known<Kernel, OnlyMajor>::kernel);
  return queue_or_note(name, Kernel, grid, block, shared_bytes, stream, arguments...);
}

}  // namespace gpu
