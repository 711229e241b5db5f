// What both int8 products do with an exact sum: the scales, the outliers, the bias. One home, so their bits agree.
#pragma once

#include "device/ptx.h"
#include "int8.h"

namespace gpu {

// Row `row` of the input times row `column` of the weights, from the int32 sum of the quantized part.
template <class T>
GPU_DEVICE float int8_result(const QuantizedRows& in, const Int8Weights& weights, const T* bias, int64_t row, int column,
                             int sum) {
  float outliers = 0;
  const int count = in.outlier_counts[row];
  const Outlier* list = in.outliers + row * kMostOutliers;
  const int8_t* weight_row = weights.values + static_cast<int64_t>(column) * weights.in_features;
  for (int i = 0; i < count; i++) {
    outliers = __fmaf_rn(list[i].value, static_cast<float>(weight_row[list[i].column]), outliers);
  }
  const float quantized = __fmul_rn(static_cast<float>(sum), in.scales[row]);
  const float b = bias != nullptr ? to_float(bias[column]) : 0.0f;
  return __fmaf_rn(__fadd_rn(quantized, outliers), weights.scales[column], b);
}

}  // namespace gpu
