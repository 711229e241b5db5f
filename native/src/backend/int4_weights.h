// Weights in int4 as they lie in host memory: the CPU computes with them there, a GPU takes them over.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "backend/int4.h"
#include "backend/row_codec.h"
#include "host/thread_pool.h"

namespace ivl {

struct Int4Weights {
  Int4Rows rows = {};  // in a checkpoint, in `owner` or in `owned`
  int64_t count = 0;
  std::shared_ptr<const Buffer> owner;
  Buffer owned;
};

// Of a weight (rows, inputs): in place where it is in int4; else quantized, after rounding to `as`, which the scales then are of
// (bf16 for f32), with each input's importance as RowCodec has it. Error(Checkpoint) if a group holds a value that is not finite, with
// the tensor and the row.
Int4Weights int4_weights(const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool,
                         const float* importance = nullptr);

// The weights in 16 bits, (count, inputs): rounded to the scales' type, then to `as`.
Buffer int4_written_out(const Int4Weights& weights, DType as, ThreadPool& pool);

}  // namespace ivl
