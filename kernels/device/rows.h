// A matrix in device memory.
#pragma once

#include <cstdint>

namespace gpu {

// Rows of T, `stride` elements from one to the next. Kernels that move 16 bytes at a time need strides that are
// multiples of 8 elements and 16-byte aligned data; each says so.
template <class T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;
};

}  // namespace gpu
