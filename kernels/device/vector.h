// Loads and stores of 4, 8 and 16 bytes, each one instruction on the device and one checked access in the emulation.
// A plain *reinterpret_cast<uint4*>(p) would be split by a C++ compiler, and its misalignment lost.
#pragma once

#include "device/gpu.h"

namespace gpu {

// Size elements of T that move together.
template <class T, int Size>
struct alignas(sizeof(T) * Size) Vector {
  static constexpr int kSize = Size;
  T at[Size];
};

#if !defined(GPU_EMULATED)

template <class V>
GPU_DEVICE V load(const void* from) {
  return *static_cast<const V*>(from);
}
// From memory that no thread writes during the kernel: through the read-only cache.
template <class V>
GPU_DEVICE V load_constant(const void* from) {
  static_assert(sizeof(V) == 16 || sizeof(V) == 8 || sizeof(V) == 4);
  V value;
  if constexpr (sizeof(V) == 16) {
    *reinterpret_cast<uint4*>(&value) = __ldg(static_cast<const uint4*>(from));
  } else if constexpr (sizeof(V) == 8) {
    *reinterpret_cast<uint2*>(&value) = __ldg(static_cast<const uint2*>(from));
  } else {
    *reinterpret_cast<unsigned*>(&value) = __ldg(static_cast<const unsigned*>(from));
  }
  return value;
}
template <class V>
GPU_DEVICE void store(void* to, const V& value) {
  *static_cast<V*>(to) = value;
}

#endif

}  // namespace gpu
