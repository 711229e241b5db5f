// Products in int8: rows of activations quantized as they come (quantize.h), weights once per output, accumulation in int32,
// which is exact in any order.
#pragma once

#include "device/types.h"
#include "gemm.h"
#include "quantize.h"

namespace gpu {

// Weights of one linear layer: (rows, in_features) int8, dense, weight = scale of its row * int8.
struct Int8Weights {
  const int8_t* values = nullptr;
  const float* scales = nullptr;
  int in_features = 0;  // a multiple of 16
};

template <class T>
struct Int8Gemm {
  QuantizedRows in;
  Int8Weights weights;
  Epilogue<T> epilogue;
  int64_t rows = 0;
  int out_features = 0;  // of the epilogue's output; the weights have twice as many rows for SwiGLU
  // (rows, out_features / kDigestColumns) of the output, dense, or null. Up to kFewRows rows, out_features a multiple of
  // kDigestColumns, out and not out_f32.
  Digest* digests = nullptr;
};

// in W^T by tensor cores, the quantized part exact in int32, the outliers added in f32 in the order of their columns; then
// the epilogue. Like gemm() (gemm.h): up to kFewRows rows in one pass over the weights, and a row's bits are always the
// same.
template <class T>
cudaError_t int8_gemm(const Int8Gemm<T>& product, cudaStream_t stream);

// Up to kFewRows rows that are not quantized yet, with their digests.
template <class T>
struct QuantizingGemm {
  Rows<const T> in;                 // (rows, weights.in_features), stride a multiple of 8, data of 16 bytes
  const Digest* digests = nullptr;  // (rows, weights.in_features / kDigestColumns), dense, 16-byte aligned
  Int8Weights weights;
  Epilogue<T> epilogue;
  int64_t rows = 0;
  int out_features = 0;
};

// Whether quantizing_gemm() takes so many rows of so many features: each of its blocks quantizes all of them, which must be
// little beside the weights it multiplies. Up to kFewRows, 20480 elements together, rows rounded up to 128; in_features is a
// multiple of kDigestColumns.
bool can_quantize(int64_t rows, int in_features);

// quantize_rows() and int8_gemm() in one launch, with their bits. Where a step's input comes from many blocks, none of which
// has a whole row, this saves the launch that quantizes.
template <class T>
cudaError_t quantizing_gemm(const QuantizingGemm<T>& product, cudaStream_t stream);

}  // namespace gpu
