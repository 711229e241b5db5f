// Products in int8: rows of activations quantized as they come, weights once per output, accumulation in int32, which is
// exact in any order. Activations of size kOutlier and more are kept apart in f32 (LLM.int8(), arXiv:2208.07339).
//
// Unlike there, a row's outliers are its own: the paper takes a column apart for all rows when one row is large in it,
// which would make a row's result depend on its neighbours.
#pragma once

#include "device/gpu.h"
#include "device/number.h"
#include "device/rows.h"

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

// Weights of one linear layer: (out_features, in_features) int8, dense, weight = scale of its row * int8.
struct Int8Weights {
  const int8_t* values = nullptr;
  const float* scales = nullptr;
  int in_features = 0;  // a multiple of 16
  int out_features = 0;
};

// out = in W^T + bias, with the quantized part exact in int32 and the outliers added in f32 in the order of their
// columns. `bias` may be null. One pass over the weights for up to kGemvRows (gemv.h) rows.
template <class T>
cudaError_t int8_gemv(Rows<T> out, const QuantizedRows& in, const Int8Weights& weights, const T* bias, int rows,
                      cudaStream_t stream);

// The same for any number of rows, by tensor cores. The int32 sums are the same, so a row's bits are too.
template <class T>
cudaError_t int8_gemm(Rows<T> out, const QuantizedRows& in, const Int8Weights& weights, const T* bias, int64_t rows,
                      cudaStream_t stream);

}  // namespace gpu
