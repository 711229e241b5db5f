// Products in int8: rows of activations quantized as they come, weights once per output, accumulation in int32, which is
// exact in any order. Activations of size kOutlier and more are kept apart in f32 (LLM.int8(), arXiv:2208.07339).
//
// Unlike there, a row's outliers are its own: the paper takes a column apart for all rows when one row is large in it,
// which would make a row's result depend on its neighbours.
#pragma once

#include "device/types.h"
#include "gemm.h"

namespace gpu {

constexpr float kOutlier = 6.0f;
// Of a row. Further ones, from the last columns, stay among the quantized and widen their scale.
constexpr int kMostOutliers = 128;

struct Outlier {
  int column;
  float value;
};

struct QuantizedRows {
  Rows<int8_t> values;          // outliers are 0 here; stride a multiple of 16
  float* scales = nullptr;      // value = scale * int8: the largest of the others over 127
  Outlier* outliers = nullptr;  // (rows, kMostOutliers), by column
  int* outlier_counts = nullptr;
};

// out from in (rows, cols): round to nearest even of x / scale. cols and in.stride are multiples of 8, in.data of 16
// bytes, out.values.data too.
template <class T>
cudaError_t quantize_rows(const QuantizedRows& out, Rows<const T> in, int64_t rows, int cols, cudaStream_t stream);

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
};

// in W^T by tensor cores, the quantized part exact in int32, the outliers added in f32 in the order of their columns; then
// the epilogue. Like gemm() (gemm.h): up to kFewRows rows in one pass over the weights, and a row's bits are always the
// same.
template <class T>
cudaError_t int8_gemm(const Int8Gemm<T>& product, cudaStream_t stream);

}  // namespace gpu
