// Weights in int8 as they lie in host memory: the CPU computes with them there, a GPU takes them over.
#pragma once

#include "backend/backend.h"
#include "backend/int8.h"
#include "backend/row_codec.h"
#include "host/thread_pool.h"

namespace ivl {

struct Int8Weights {
  const int8_t* values = nullptr;  // (rows, stride); in a checkpoint or in `owned`
  const float* scales = nullptr;   // (rows)
  const int32_t* sums = nullptr;   // (rows), of the values
  int64_t rows = 0;
  int64_t stride = 0;  // bytes: int8_stride(in_features)
  Buffer owned;
};

// Of a weight (rows, in_features): quantized, after rounding to `as` where that is narrower than what is stored; or, where it
// is quantized already, in place if its rows need no padding. Error(Unsupported) if in_features is over kInt8MostInputs, Error(Checkpoint) if a row
// holds a value that is not finite, with the tensor and the row.
Int8Weights int8_weights(const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool);

}  // namespace ivl
