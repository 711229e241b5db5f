// What int8 means here, on every backend. A linear layer's weights are quantized once, a row (an output) at a time; its input as
// it comes, a row at a time; products are summed in int32, exactly:
//
//   w' = round(w / s_w),  s_w = max |w| of the row / 127;  x' = round(x / s_x), likewise;  y = s_w s_x sum x' w'.
//
// Activations of magnitude kInt8Outlier and more stay apart and are multiplied in f32 (Dettmers et al., LLM.int8(),
// arXiv:2208.07339). Unlike there, a row's outliers are its own: the paper takes a column apart for all rows when one of them is
// large in it, which would make a row's result depend on its neighbours.
#pragma once

#include <cstdint>

namespace ivl {

inline constexpr float kInt8Outlier = 6.0f;
// Of a row. Further ones, from the last columns, stay among the quantized and widen their scale.
inline constexpr int kMostOutliers = 128;
// Rows are padded with zeros to a multiple of so many bytes.
inline constexpr int64_t kInt8Align = 64;
// An int32 holds the sum of so many products of a byte without and a byte with sign.
inline constexpr int64_t kInt8MostInputs = 65536;
// Bytes of a row of weights beside its values: its scale and their sum.
inline constexpr int64_t kInt8RowExtra = 8;

struct Int8Outlier {
  int32_t column;
  float value;
};

inline constexpr int64_t int8_stride(int64_t in_features) { return (in_features + kInt8Align - 1) / kInt8Align * kInt8Align; }

}  // namespace ivl
