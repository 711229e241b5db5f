// bfloat16 and IEEE half as storage; arithmetic is in f32. Conversions to them round to nearest even.
#pragma once

#include "device/gpu.h"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#else
#include "emulation/number.h"
#endif

namespace gpu {

struct bf16 {
  uint16_t bits;
};
struct f16 {
  uint16_t bits;
};

#if defined(__CUDACC__)

GPU_DEVICE float to_float(bf16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }
GPU_DEVICE float to_float(f16 x) { return __half2float(__ushort_as_half(x.bits)); }
template <class T>
GPU_DEVICE T from_float(float x);
template <>
GPU_DEVICE bf16 from_float<bf16>(float x) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
}
template <>
GPU_DEVICE f16 from_float<f16>(float x) {
  return {__half_as_ushort(__float2half_rn(x))};
}

#else

inline float to_float(bf16 x) { return simt::bfloat16_to_float(x.bits); }
inline float to_float(f16 x) { return simt::half_to_float(x.bits); }
template <class T>
T from_float(float x);
template <>
inline bf16 from_float<bf16>(float x) {
  return {simt::float_to_bfloat16(x)};
}
template <>
inline f16 from_float<f16>(float x) {
  return {simt::float_to_half(x)};
}

#endif

GPU_DEVICE float to_float(float x) { return x; }

}  // namespace gpu
