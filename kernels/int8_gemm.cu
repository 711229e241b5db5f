#include "device/finish.h"
#include "int8.h"

namespace gpu {
namespace {

struct Multiply {
  using Sum = int;
  GPU_DEVICE static void multiply(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mma_m16n8k32_s8(d, a, b);
  }
};

using FewRows = TileProduct<Multiply, kFewRows, 32, 16, 16, 8>;
using SomeRows = TileProduct<Multiply, 64, 128, 32, 32, 3>;

// Row `row` of the input times row `column` of the weights, from the int32 sum of the quantized part.
GPU_DEVICE float dequantized(const QuantizedRows& in, const Int8Weights& weights, int64_t row, int column, int sum) {
  float outliers = 0;
  const int count = in.outlier_counts[row];
  const Outlier* list = in.outliers + row * kMostOutliers;
  const int8_t* weight_row = weights.values + static_cast<int64_t>(column) * weights.in_features;
  for (int i = 0; i < count; i++) {
    outliers = __fmaf_rn(list[i].value, static_cast<float>(weight_row[list[i].column]), outliers);
  }
  return __fmul_rn(__fmaf_rn(static_cast<float>(sum), in.scales[row], outliers), weights.scales[column]);
}

template <class T, class Product>
__global__ void __launch_bounds__(Product::kThreads, Product::kRows == kFewRows ? 8 : 2)
    int8_gemm_kernel(Int8Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  const Epilogue<T>& e = p.epilogue;
  const TilePlace place = place_of_tile<Product>(e.activation, p.rows, p.out_features, by_four);
  Product product;
  product.run(
      memory, {p.in.values.data, p.weights.values, p.weights.in_features}, p.in.values.stride,
      [&](int r) { return place.first_row + r < p.rows ? place.first_row + r : -1; },
      [&](int c) { return weight_row_of(e, c, place.first_column, p.out_features); });
  finish(product, e, place,
         [&](int64_t row, int column, int sum) { return dequantized(p.in, p.weights, row, column, sum); });
}

template <class T, class Product>
cudaError_t launch_gemm(const char* name, const Int8Gemm<T>& p, cudaStream_t stream) {
  Cost cost = cost_of(p.epilogue, p.rows, p.weights.in_features, p.out_features, 1);
  cost.int8 = true;
  next_launch_costs(cost);
  const dim3 grid = grid_of_tiles<Product>(p.epilogue.activation, p.rows, p.out_features);
  return launch(name, int8_gemm_kernel<T, Product>, grid, dim3(Product::kThreads), Product::kSharedBytes, stream, p,
                moves_by_four(p.epilogue, p.out_features));
}

}  // namespace

template <class T>
cudaError_t int8_gemm(const Int8Gemm<T>& product, cudaStream_t stream) {
  if (product.rows <= kFewRows) {
    return launch_gemm<T, FewRows>("int8_gemm_few_rows", product, stream);
  }
  return launch_gemm<T, SomeRows>("int8_gemm", product, stream);
}

template cudaError_t int8_gemm(const Int8Gemm<bf16>&, cudaStream_t);
template cudaError_t int8_gemm(const Int8Gemm<f16>&, cudaStream_t);

}  // namespace gpu
