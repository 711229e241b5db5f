// All kernels that are launched anywhere, so that a GPU can be asked, before it is chosen, whether the build has code for it.
#pragma once

#include <utility>

namespace gpu {

// The first of a list.
struct KnownKernel;
inline const KnownKernel* known_kernels = nullptr;

struct KnownKernel {
  KnownKernel(const void* function_, int only_major_)
      : function(function_), only_major(only_major_), next(std::exchange(known_kernels, this)) {}
  KnownKernel(const KnownKernel&) = delete;
  KnownKernel& operator=(const KnownKernel&) = delete;

  const void* function;
  int only_major;  // the compute capability of the GPUs it is for; 0: all
  const KnownKernel* next;
};

// Is in the list before main() where anything uses it.
template <auto Kernel, int OnlyMajor>
struct Known {
  static inline const KnownKernel kernel{reinterpret_cast<const void*>(Kernel), OnlyMajor};
};

}  // namespace gpu
