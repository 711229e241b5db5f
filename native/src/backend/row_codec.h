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
  // A weight's row of n values as backend/int4.h says, groups of kInt4Group with scales of `type`.
  void (*int4)(uint8_t* out, void* scales, DType type, const float* in, int64_t n);

  // A row of n values of type `from`, as it is once rounded to `as`; `halves` is scratch of n values.
  void load(float* out, const void* row, DType from, DType as, int64_t n, void* halves) const {
    widen(out, row, from, n);
    if (as == DType::F32 || as == from) return;
    narrow(halves, as, out, n);
    widen(out, halves, as, n);
  }
};
// cpu/kernels.cpp has it.
RowCodec row_codec();

}  // namespace ivl
