#include "device/finish.h"
#include "device/int8_product.h"
#include "device/quantize.h"
#include "int8.h"
#include "warpgroup_gemm.h"

namespace gpu {
namespace {

template <class T, class Product>
__global__ void __launch_bounds__(Product::kThreads, Product::kBlocks) int8_gemm_kernel(Int8Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  run_tile<Product>(p, by_four, memory);
}

// The digests of the block's part of the output besides: each thread's four columns first, then what becomes one word.
template <class T>
__global__ void __launch_bounds__(FewRowsOfBytes::kThreads, FewRowsOfBytes::kBlocks) int8_gemm_and_digest_kernel(Int8Gemm<T> p) {
  using Product = FewRowsOfBytes;
  constexpr int kFours = Product::kColumns / 4;  // of a row in the tile, at most
  GPU_DYNAMIC_SHARED(char, memory);
  GPU_SHARED(Digest, parts, kFewRows * kFours);
  const TilePlace place = place_of_tile<Product>(p.epilogue.activation, p.rows, p.out_features, true);
  Product product;
  multiply(product, p, place, memory);
  finish(product, p, place, [&](int64_t row, int column, const Vector<T, 4>& x) {
    Digest all = digest_of(x.at[0], column);
#pragma unroll
    for (int i = 1; i < 4; i++) {
      all = joined(all, digest_of(x.at[i], column + i));
    }
    parts[row * kFours + (column - place.first_column) / 4] = all;
  });
  __syncthreads();
  const int row = static_cast<int>(threadIdx.x) % kFewRows;
  const int first = static_cast<int>(threadIdx.x) / kFewRows * kDigestColumns;  // in the tile
  const int column = place.first_column + first;
  if (row < p.rows && first < columns_of_tile<Product>(p.epilogue.activation) && column < p.out_features) {
    const Digest* four = parts + row * kFours + first / 4;
    p.digests[(row * p.out_features + column) / kDigestColumns] = joined(joined(four[0], four[1]), joined(four[2], four[3]));
  }
}

template <class T, class Product>
cudaError_t launch_gemm(const char* name, const Int8Gemm<T>& p, cudaStream_t stream) {
  return launch_tiles<Product, int8_gemm_kernel<T, Product>>(name, p, stream);
}

template <class T>
cudaError_t launch_with_digests(const Int8Gemm<T>& p, cudaStream_t stream) {
  using Product = FewRowsOfBytes;
  if (p.rows > kFewRows || p.out_features % kDigestColumns != 0 || p.epilogue.out_f32.data != nullptr ||
      !moves_by_four(p.epilogue, p.out_features)) {
    return cudaErrorInvalidValue;
  }
  Cost cost = cost_of(p);
  cost.written += static_cast<double>(p.rows) * p.out_features / kDigestColumns * sizeof(Digest);
  next_launch_costs(cost);
  const dim3 grid = grid_of_tiles<Product>(p.epilogue.activation, p.rows, p.out_features);
  return launch<int8_gemm_and_digest_kernel<T>>("int8_gemm_and_digest", grid, dim3(Product::kThreads), Product::kSharedBytes,
                                                stream, p);
}

}  // namespace

template <class T>
cudaError_t int8_gemm(const Int8Gemm<T>& product, cudaStream_t stream) {
  if (product.digests != nullptr) {
    return launch_with_digests(product, stream);
  }
  if (product.rows <= kFewRows) {
    return launch_gemm<T, FewRowsOfBytes>("int8_gemm_few_rows", product, stream);
  }
  if (product.rows > kWarpgroupRows && has_warpgroup_products()) {
    return warpgroup_int8_gemm(product, stream);
  }
  return launch_gemm<T, SomeRowsOfBytes>("int8_gemm", product, stream);
}

template cudaError_t int8_gemm(const Int8Gemm<bf16>&, cudaStream_t);
template cudaError_t int8_gemm(const Int8Gemm<f16>&, cudaStream_t);

}  // namespace gpu
