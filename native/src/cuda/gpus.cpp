#include "backend/gpus.h"

#include "cuda/cuda_backend.h"

namespace ivl {

Gpus find_gpus() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    // What the runtime says of this one is true of a machine without any driver, too, and misleads there.
    if (error == cudaErrorInsufficientDriver) return {{}, "no NVIDIA driver was found, or it is too old"};
    return {{}, cat(cudaGetErrorString(error), " (", cudaGetErrorName(error), ")")};
  }
  if (count == 0) return {{}, "the driver shows no GPU"};
  Gpus gpus;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess) {
      gpus.reason = cat("GPU ", ordinal, ": ", cudaGetErrorString(cudaGetLastError()));
    } else if (properties.major < 8) {
      gpus.reason = cat("GPU ", ordinal, " (", properties.name, ") has compute capability ", properties.major, ".",
                        properties.minor, ", expected 8.0 or later");
    } else {
      gpus.found.push_back({ordinal, properties.name, static_cast<int64_t>(properties.totalGlobalMem)});
    }
  }
  if (!gpus.found.empty()) gpus.reason.clear();
  return gpus;
}

int64_t free_gpu_memory(int ordinal) {
  size_t free = 0;
  size_t total = 0;
  if (cudaSetDevice(ordinal) != cudaSuccess || cudaMemGetInfo(&free, &total) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  return static_cast<int64_t>(free);
}

std::shared_ptr<Backend> make_gpu_backend(int ordinal, DType type) {
  switch (type) {
    case DType::BF16: return std::make_shared<cuda::CudaBackend<gpu::bf16>>(ordinal);
    case DType::F16: return std::make_shared<cuda::CudaBackend<gpu::f16>>(ordinal);
    case DType::F32: break;
  }
  fail(Status::InvalidArgument, "the precision is f32, expected bf16 or f16 on a GPU");
}

}  // namespace ivl
