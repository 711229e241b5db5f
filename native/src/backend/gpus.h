// The GPUs that this library can use. A library built without a GPU backend has the same functions and finds none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace ivl {

struct Gpu {
  int ordinal = 0;
  std::string name;
  int64_t memory = 0;  // bytes
};

// "cuda:0 (NVIDIA H100 80GB HBM3)"
inline std::string name_of(const Gpu& gpu) { return cat("cuda:", gpu.ordinal, " (", gpu.name, ")"); }

struct Gpus {
  std::vector<Gpu> found;
  std::string reason;  // why none was found; empty otherwise
};

// Never fails: no driver, an old driver, no GPU are reasons. Takes no memory of any GPU.
Gpus find_gpus();

// Why the GPU cannot be used all the same: this build has no code for it. Empty if it has all. Asking makes a CUDA context there,
// some hundred megabytes.
std::string why_gpu_cannot(int ordinal);

// Bytes that are free now. Asking makes a CUDA context, too: only for GPUs that will be used. 0 if it cannot be used.
int64_t free_gpu_memory(int ordinal);

// Sizes of a model that GPU kernels are not written for in general. `of` is what messages call them.
struct GpuSizes {
  struct Size {
    std::string of;
    int64_t value;
  };
  std::vector<Size> heads;   // of attention
  std::vector<Size> widths;  // of rows between operations
  int64_t channels;          // of the vision tower's patches
  Size patch;                // in pixels
  Size vocabulary;
  Size context;
  Size experts = {"", 0};  // of a layer
  Size chosen = {"", 0};   // by a row
};

// The first of these sizes that GPU kernels cannot do, with what they can; empty if they can do all.
std::string why_gpus_cannot(const GpuSizes& sizes);

// Error(InvalidArgument) if the type is not one that GPUs compute in (bf16, f16), Error(Unsupported) if there is no code for the
// GPU.
std::shared_ptr<Backend> make_gpu_backend(int ordinal, DType type);

}  // namespace ivl
