#include "backend/gpus.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cuda/cuda_backend.h"
#include "device/known_kernels.h"
#include "experts.h"
#include "rows.h"

namespace ivl {
namespace {

std::string head_dims() {
  std::string text;
  for (const int* dim = std::begin(gpu::kHeadDims); dim != std::end(gpu::kHeadDims); ++dim) {
    text += cat(dim == std::begin(gpu::kHeadDims) ? "" : dim + 1 == std::end(gpu::kHeadDims) ? " or " : ", ", *dim);
  }
  return text;
}

std::string too_large(const GpuSizes::Size& size, int64_t most) {
  return size.value <= most ? "" : cat(size.of, " is ", size.value, ", expected at most ", most, " on a GPU");
}

}  // namespace

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

std::string why_gpu_cannot(int ordinal) {
  cudaDeviceProp properties;
  cudaError_t error = cudaSetDevice(ordinal);
  if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, ordinal);
  if (error == cudaSuccess) {
    for (const gpu::KnownKernel* kernel = gpu::known_kernels; error == cudaSuccess && kernel != nullptr; kernel = kernel->next) {
      cudaFuncAttributes attributes;
      const bool used = kernel->only_major == 0 || kernel->only_major == properties.major;
      if (used) error = cudaFuncGetAttributes(&attributes, kernel->function);
    }
  }
  if (error == cudaSuccess) return {};
  cudaGetLastError();
  if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction) {
    return cat("this library was built without code for compute capability ", properties.major, ".", properties.minor);
  }
  return cat(cudaGetErrorString(error), " (", cudaGetErrorName(error), ")");
}

std::string why_gpus_cannot(const GpuSizes& sizes) {
  for (const GpuSizes::Size& head : sizes.heads) {
    if (std::find(std::begin(gpu::kHeadDims), std::end(gpu::kHeadDims), head.value) == std::end(gpu::kHeadDims)) {
      return cat(head.of, " is ", head.value, ", expected ", head_dims(), " on a GPU");
    }
  }
  for (const GpuSizes::Size& width : sizes.widths) {
    if (width.value % 8 != 0) return cat(width.of, " is ", width.value, ", expected a multiple of 8 on a GPU");
  }
  if (!gpu::can_unfold(static_cast<int>(sizes.channels), static_cast<int>(sizes.patch.value))) {
    return cat(sizes.patch.of, " is ", sizes.patch.value, ", too large for a GPU's shared memory");
  }
  for (const auto& [size, most] : {std::pair<GpuSizes::Size, int64_t>{sizes.vocabulary, gpu::kMostVocabulary},
                                   {sizes.context, gpu::kMostKeys},
                                   {sizes.experts, gpu::kMostExperts},
                                   {sizes.chosen, gpu::kMostChosen}}) {
    const std::string reason = too_large(size, most);
    if (!reason.empty()) return reason;
  }
  return {};
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
  const std::string reason = why_gpu_cannot(ordinal);
  if (!reason.empty()) fail(Status::Unsupported, cat("cuda:", ordinal, " cannot be used: ", reason));
  switch (type) {
    case DType::BF16: return std::make_shared<cuda::CudaBackend<gpu::bf16>>(ordinal);
    case DType::F16: return std::make_shared<cuda::CudaBackend<gpu::f16>>(ordinal);
    case DType::F32: break;
  }
  fail(Status::InvalidArgument, "the precision is f32, expected bf16 or f16 on a GPU");
}

}  // namespace ivl
