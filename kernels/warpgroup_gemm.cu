#include "warpgroup_gemm.h"

#include "device/finish.h"
#include "device/int8_product.h"
#include "device/warpgroup_product.h"

namespace gpu {
namespace {

constexpr int kMajor = 9;  // Hopper's compute capability

template <class T>
using Product = WarpgroupProduct<T, float>;
using BytesProduct = WarpgroupProduct<int8_t, int>;

template <class T>
__global__ void __launch_bounds__(Product<T>::kThreads, Product<T>::kBlocks) warpgroup_gemm_kernel(Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  run_tile<Product<T>>(p, by_four, memory);
}

template <class T>
__global__ void __launch_bounds__(BytesProduct::kThreads, BytesProduct::kBlocks)
    warpgroup_int8_gemm_kernel(Int8Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  run_tile<BytesProduct>(p, by_four, memory);
}

}  // namespace

bool has_warpgroup_products() {
  int device = 0;
  int major = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess && major == kMajor;
}

template <class T>
cudaError_t warpgroup_gemm(const Gemm<T>& p, cudaStream_t stream) {
  return launch_tiles<Product<T>, warpgroup_gemm_kernel<T>, kMajor>("warpgroup_gemm", p, stream);
}

template <class T>
cudaError_t warpgroup_int8_gemm(const Int8Gemm<T>& p, cudaStream_t stream) {
  return launch_tiles<BytesProduct, warpgroup_int8_gemm_kernel<T>, kMajor>("warpgroup_int8_gemm", p, stream);
}

template cudaError_t warpgroup_gemm(const Gemm<bf16>&, cudaStream_t);
template cudaError_t warpgroup_gemm(const Gemm<f16>&, cudaStream_t);
template cudaError_t warpgroup_int8_gemm(const Int8Gemm<bf16>&, cudaStream_t);
template cudaError_t warpgroup_int8_gemm(const Int8Gemm<f16>&, cudaStream_t);

}  // namespace gpu
