// Conversions of bfloat16 and IEEE half, on the device and on the host; arithmetic is in f32. Conversions to them round to
// nearest even.
#pragma once

#include "device/types.h"

#if defined(GPU_EMULATED)

#include "emulation/number.h"

namespace gpu {

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
inline float to_float(float x) { return x; }

}  // namespace gpu

#else

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace gpu {

GPU_ANYWHERE float to_float(bf16 x) { return __bfloat162float(__ushort_as_bfloat16(x.bits)); }
GPU_ANYWHERE float to_float(f16 x) { return __half2float(__ushort_as_half(x.bits)); }
template <class T>
GPU_ANYWHERE T from_float(float x);
template <>
GPU_ANYWHERE bf16 from_float<bf16>(float x) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(x))};
}
template <>
GPU_ANYWHERE f16 from_float<f16>(float x) {
  return {__half_as_ushort(__float2half_rn(x))};
}
GPU_ANYWHERE float to_float(float x) { return x; }

}  // namespace gpu

#endif
