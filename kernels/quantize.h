// Rows of activations in int8, a scale for each row. Activations of size kOutlier and more are kept apart in f32 (LLM.int8(),
// arXiv:2208.07339).
//
// Unlike there, a row's outliers are its own: the paper takes a column apart for all rows when one row is large in it,
// which would make a row's result depend on its neighbours.
#pragma once

#include "device/types.h"

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

// What the quantization of a row needs to know of kDigestColumns neighbours, as a word: in the lower half the largest magnitude
// that is no outlier, as the bits of T without sign; in the upper half which of them are outliers, the first in bit 16. A row's
// words lie one after the other. A kernel that has only a part of a row at hand leaves them behind, and whoever reads them knows
// the row's scale and outliers without reading the row.
using Digest = uint32_t;
constexpr int kDigestColumns = 16;

}  // namespace gpu
