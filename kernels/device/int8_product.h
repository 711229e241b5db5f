// What the products in int8 share: the instruction, the shapes of tiles, and the way back from int32.
#pragma once

#include "device/finish.h"
#include "device/tile_product.h"
#include "int8.h"

namespace gpu {

struct MultiplyBytes {
  using Sum = int;
  GPU_DEVICE static void multiply(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma_m16n8k32_s8(d, a, b); }
};

using FewRowsOfBytes = TileProduct<MultiplyBytes, kFewRows, 32, 16, 16, 128, 8>;
using SomeRowsOfBytes = TileProduct<MultiplyBytes, 64, 64, 32, 32, 128, 4>;

// A row of the input times row `column` of the weights, from the int32 sum of the quantized part, the row's scale and its
// outliers: outlier(i) is the i-th of `count`.
template <class List>
GPU_DEVICE float dequantized(const Int8Weights& weights, int column, int sum, float scale, int count, const List& outlier) {
  float apart = 0;
  const int8_t* weight_row = weights.values + static_cast<int64_t>(column) * weights.in_features;
  for (int i = 0; i < count; i++) {
    const Outlier one = outlier(i);
    apart = __fmaf_rn(one.value, static_cast<float>(weight_row[one.column]), apart);
  }
  return __fmul_rn(__fmaf_rn(static_cast<float>(sum), scale, apart), weights.scales[column]);
}

template <class T, class Product>
GPU_DEVICE void multiply(Product& product, const Int8Gemm<T>& p, const TilePlace& place, char* memory) {
  product.run(memory,
              {p.in.values.data + place.first_row * p.in.values.stride, p.in.values.stride, place.rows_of_tile<Product>(),
               p.weights.values, p.weights.in_features},
              [&](int c) { return weight_row_of(p.epilogue, c, place.first_column, p.out_features); });
}

template <class T, class Watch = NoWatch, class Product>
GPU_DEVICE void finish(const Product& product, const Int8Gemm<T>& p, const TilePlace& place, const Watch& watch = {}) {
  const auto value = [&](int64_t row, int column, int sum) {
    const Outlier* list = p.in.outliers + row * kMostOutliers;
    return dequantized(p.weights, column, sum, p.in.scales[row], p.in.outlier_counts[row], [&](int i) { return list[i]; });
  };
  finish(product, p.epilogue, place, value, watch);
}

template <class T>
Cost cost_of(const Int8Gemm<T>& p) {
  Cost cost = cost_of(p.epilogue, p.rows, p.weights.in_features, p.out_features, 1);
  cost.int8 = true;
  return cost;
}

}  // namespace gpu
