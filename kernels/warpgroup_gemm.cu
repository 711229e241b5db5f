#include "warpgroup_gemm.h"

#include "device/finish.h"
#include "device/int8_product.h"
#include "device/warpgroup_product.h"

namespace gpu {
namespace {

template <class T>
using Product = WarpgroupProduct<T, float>;
using BytesProduct = WarpgroupProduct<int8_t, int>;

template <class T>
__global__ void __launch_bounds__(Product<T>::kThreads, Product<T>::kBlocks) warpgroup_gemm_kernel(Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  const TilePlace place = place_of_tile<Product<T>>(p.epilogue.activation, p.rows, p.out_features, by_four);
  Product<T> product;
  multiply(product, p, place, memory);
  finish(product, p.epilogue, place, [](int64_t, int, float sum) { return sum; });
}

template <class T>
__global__ void __launch_bounds__(BytesProduct::kThreads, BytesProduct::kBlocks)
    warpgroup_int8_gemm_kernel(Int8Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  const TilePlace place = place_of_tile<BytesProduct>(p.epilogue.activation, p.rows, p.out_features, by_four);
  BytesProduct product;
  multiply(product, p, place, memory);
  finish_int8(product, p, place);
}

}  // namespace

bool has_warpgroup_products() {
  int device = 0;
  int major = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess && major == 9;
}

template <class T>
cudaError_t warpgroup_gemm(const Gemm<T>& p, cudaStream_t stream) {
  next_launch_costs(cost_of(p));
  const dim3 grid = grid_of_tiles<Product<T>>(p.epilogue.activation, p.rows, p.out_features);
  return launch("warpgroup_gemm", warpgroup_gemm_kernel<T>, grid, dim3(Product<T>::kThreads), Product<T>::kSharedBytes, stream, p,
                moves_by_four(p.epilogue, p.out_features));
}

template <class T>
cudaError_t warpgroup_int8_gemm(const Int8Gemm<T>& p, cudaStream_t stream) {
  next_launch_costs(cost_of(p));
  const dim3 grid = grid_of_tiles<BytesProduct>(p.epilogue.activation, p.rows, p.out_features);
  return launch("warpgroup_int8_gemm", warpgroup_int8_gemm_kernel<T>, grid, dim3(BytesProduct::kThreads),
                BytesProduct::kSharedBytes, stream, p, moves_by_four(p.epilogue, p.out_features));
}

template cudaError_t warpgroup_gemm(const Gemm<bf16>&, cudaStream_t);
template cudaError_t warpgroup_gemm(const Gemm<f16>&, cudaStream_t);
template cudaError_t warpgroup_int8_gemm(const Int8Gemm<bf16>&, cudaStream_t);
template cudaError_t warpgroup_int8_gemm(const Int8Gemm<f16>&, cudaStream_t);

}  // namespace gpu
