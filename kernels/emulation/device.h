// The other half of device/gpu.h: CUDA's names for a kernel that is compiled as plain C++.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "device/shared_limit.h"
#include "emulation/block.h"
#include "emulation/checks.h"
#include "emulation/memory.h"
#include "emulation/runtime.h"

#define __global__
#define __device__
#define __host__
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define GPU_DEVICE inline

// The emulation's own accesses to a kernel's memory are not the kernel's.
#define SIMT_UNCHECKED __attribute__((no_sanitize("thread"), noinline))

#define GPU_SHARED(T, name, count)    \
  static const char name##_place = 0; \
  T* const name = static_cast<T*>(simt::static_shared(&name##_place, sizeof(T) * (count)))
#define GPU_DYNAMIC_SHARED(T, name) T* const name = reinterpret_cast<T*>(simt::shared_memory().begin)

#define threadIdx (simt::this_thread().thread)
#define blockIdx (simt::this_thread().block)
#define blockDim (simt::this_launch().block)
#define gridDim (simt::this_launch().grid)

// ---- meeting -------------------------------------------------------------------------------------------------------

SIMT_UNCHECKED inline void __syncthreads() { simt::block_barrier(__builtin_return_address(0)); }

SIMT_UNCHECKED inline void __syncwarp(unsigned mask = 0xffffffffu) {
  simt::warp_collective(
      "__syncwarp", mask, [](void* const(&)[32]) {}, nullptr, true, __builtin_return_address(0));
}

namespace simt {

// A shuffle's value, and the lane it asks for.
template <class T>
struct Shuffle {
  T value;
  unsigned lane;
  T result;
};

template <class T>
SIMT_UNCHECKED T shuffle(const char* name, unsigned mask, T value, unsigned lane, const void* pc) {
  Shuffle<T> mine{value, lane, {}};
  warp_collective(
      name, mask,
      [](void* const(&lanes)[32]) SIMT_UNCHECKED {
        for (void* one : lanes) {
          if (one != nullptr) {
            auto* asked = static_cast<Shuffle<T>*>(one);
            auto* from = static_cast<Shuffle<T>*>(lanes[asked->lane % 32]);
            asked->result = from != nullptr ? from->value : asked->value;
          }
        }
      },
      &mine, false, pc);
  return mine.result;
}

}  // namespace simt

template <class T>
SIMT_UNCHECKED T __shfl_sync(unsigned mask, T value, int lane) {
  return simt::shuffle("__shfl_sync", mask, value, static_cast<unsigned>(lane), __builtin_return_address(0));
}
template <class T>
SIMT_UNCHECKED T __shfl_xor_sync(unsigned mask, T value, int bits) {
  return simt::shuffle("__shfl_xor_sync", mask, value, simt::this_lane() ^ static_cast<unsigned>(bits),
                       __builtin_return_address(0));
}
template <class T>
SIMT_UNCHECKED T __shfl_up_sync(unsigned mask, T value, unsigned by) {
  const unsigned lane = simt::this_lane();
  return simt::shuffle("__shfl_up_sync", mask, value, lane >= by ? lane - by : lane, __builtin_return_address(0));
}
template <class T>
SIMT_UNCHECKED T __shfl_down_sync(unsigned mask, T value, unsigned by) {
  const unsigned lane = simt::this_lane() + by;
  return simt::shuffle("__shfl_down_sync", mask, value, lane < 32 ? lane : simt::this_lane(), __builtin_return_address(0));
}

// ---- memory --------------------------------------------------------------------------------------------------------

inline void __threadfence() { simt::thread_fence(); }

template <class T>
SIMT_UNCHECKED T atomicAdd(T* address, T value) {
  if (!simt::access(address, sizeof(T), simt::Kind::Atomic, __builtin_return_address(0))) {
    return {};
  }
  const T before = *address;
  *address = before + value;
  return before;
}
template <class T>
SIMT_UNCHECKED T atomicOr(T* address, T value) {
  if (!simt::access(address, sizeof(T), simt::Kind::Atomic, __builtin_return_address(0))) {
    return {};
  }
  const T before = *address;
  *address = before | value;
  return before;
}

namespace simt {

template <class V>
SIMT_UNCHECKED V checked_load(const void* from, const void* pc) {
  V value{};
  if (access(from, sizeof(V), Kind::Read, pc)) {
    std::memcpy(&value, from, sizeof(V));
  }
  return value;
}

}  // namespace simt

namespace gpu {

template <class V>
SIMT_UNCHECKED V load(const void* from) {
  return simt::checked_load<V>(from, __builtin_return_address(0));
}
template <class V>
SIMT_UNCHECKED V load_constant(const void* from) {
  return simt::checked_load<V>(from, __builtin_return_address(0));
}
template <class V>
SIMT_UNCHECKED void store(void* to, const V& value) {
  if (simt::access(to, sizeof(V), simt::Kind::Write, __builtin_return_address(0))) {
    std::memcpy(to, &value, sizeof(V));
  }
}

template <class... Parameters>
cudaError_t queue(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
                  std::decay_t<Parameters>... arguments) {
  const auto* function = reinterpret_cast<const void*>(kernel);
  if (must_be_asked_for(shared_bytes)) {
    const cudaError_t error =
        cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error != cudaSuccess) {
      return error;
    }
  }
  return simt::enqueue_kernel(name, function, {grid, block, shared_bytes}, stream,
                              [kernel, arguments...] { kernel(arguments...); });
}

}  // namespace gpu

// ---- arithmetic: the device's approximations are correctly rounded here ---------------------------------------------

inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline int __dp4a(int a, int b, int sum) {
  for (int shift = 0; shift < 32; shift += 8) {
    sum += static_cast<int8_t>(static_cast<unsigned>(a) >> shift) * static_cast<int8_t>(static_cast<unsigned>(b) >> shift);
  }
  return sum;
}
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline float __fdividef(float a, float b) { return a / b; }
using std::fmaxf;
using std::fminf;
