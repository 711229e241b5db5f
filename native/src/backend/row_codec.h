// How a row of weights is quantized, by the processor's chosen instructions: the same bits by any.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace ivl {

struct RowCodec {
  void (*widen)(float* out, const void* in, DType type, int64_t n);
  void (*narrow)(void* out, DType type, const float* in, int64_t n);
  // A weight's row of n values, `stride` bytes and zeros behind them; its scale and the sum of its bytes.
  void (*int8)(int8_t* out, float* scale, int32_t* sum, const float* in, int64_t n, int64_t stride);
  // A weight's row of n values as backend/int4.h says, groups of kInt4Group with scales of `type`: those that lose least of the squares,
  // each times its input's importance (n); null: all alike.
  void (*int4)(uint8_t* out, void* scales, DType type, const float* in, const float* importance, int64_t n);
};
// cpu/kernels.cpp has it.
RowCodec row_codec();

}  // namespace ivl
