// Products of rows with a weight matrix, by tensor cores: tall tiles for prompts and pictures, where operations are the
// floor, and tiles of 16 rows for decode, where the weights' bytes are: they pass once, whatever the number of rows.
//
// A row's results are the same bits in tiles of every height (device/tile_product.h).
#pragma once

#include "device/types.h"
#include "epilogue.h"

namespace gpu {

// Up to so many rows are one pass over the weights.
constexpr int kFewRows = 16;
// Up to so many, large tiles would be too few for all multiprocessors.
constexpr int kSomeRows = 384;

template <class T>
struct Gemm {
  Rows<const T> in;           // (rows, in_features)
  const T* weight = nullptr;  // (out_features or, for SwiGlu and Rope, twice as many; in_features), dense
  Epilogue<T> epilogue;
  int64_t rows = 0;
  int in_features = 0;   // a multiple of 8
  int out_features = 0;  // of the epilogue's output; for Rope the pairs that turn together
};

// Accumulates in f32. in.stride is a multiple of 8; in and weight are aligned to 16 bytes; where out_features and all
// strides are multiples of 4, the epilogue's pointers to 4 elements.
template <class T>
cudaError_t gemm(const Gemm<T>& product, cudaStream_t stream);

}  // namespace gpu
