// The rows of a plain weight on their way into another format.
#pragma once

#include <vector>

#include "backend/backend.h"
#include "backend/row_codec.h"
#include "host/thread_pool.h"

namespace ivl {

// body(row, its values in f32), after rounding to `as` where that is narrower than what is stored; several at a time.
template <class Body>
void each_rounded_row(const HostTensor& weight, DType as, const RowCodec& codec, ThreadPool& pool, const Body& body) {
  const int64_t inputs = weight.shape[1];
  const size_t row_bytes = static_cast<size_t>(inputs) * size_of(weight.dtype);
  // Of each thread: a row, and scratch for its rounding.
  std::vector<std::vector<float>> wide(static_cast<size_t>(pool.threads()), std::vector<float>(static_cast<size_t>(inputs)));
  std::vector<std::vector<float>> narrow = wide;
  pool.run(weight.shape[0], [&](int64_t row, int thread) {
    float* values = wide[static_cast<size_t>(thread)].data();
    codec.widen(values, static_cast<const char*>(weight.data) + static_cast<size_t>(row) * row_bytes, weight.dtype, inputs);
    if (as != DType::F32 && as != weight.dtype) {
      void* rounded = narrow[static_cast<size_t>(thread)].data();
      codec.narrow(rounded, as, values, inputs);
      codec.widen(values, rounded, as, inputs);
    }
    body(row, values);
  });
}

}  // namespace ivl
