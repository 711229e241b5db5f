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

struct Gpus {
  std::vector<Gpu> found;
  std::string reason;  // why none was found; empty otherwise
};

// Never fails: no driver, an old driver, no GPU are reasons. Takes no memory of any GPU.
Gpus find_gpus();

// Bytes that are free now. Asking makes a CUDA context there, some hundred megabytes: only for GPUs that will be used. 0 if it
// cannot be used.
int64_t free_gpu_memory(int ordinal);

// Error(InvalidArgument) if the type is not one that GPUs compute in (bf16, f16).
std::shared_ptr<Backend> make_gpu_backend(int ordinal, DType type);

}  // namespace ivl
