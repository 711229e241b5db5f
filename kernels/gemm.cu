#include "gemm.h"

#include "device/float_product.h"
#include "warpgroup_gemm.h"

namespace gpu {
namespace {

template <class T, class Product>
__global__ void __launch_bounds__(Product::kThreads, Product::kBlocks) gemm_kernel(Gemm<T> p, bool by_four) {
  GPU_DYNAMIC_SHARED(char, memory);
  run_tile<Product>(p, by_four, memory);
}

template <class T, class Product>
cudaError_t launch_gemm(const char* name, const Gemm<T>& p, cudaStream_t stream) {
  return launch_tiles<Product, gemm_kernel<T, Product>>(name, p, stream);
}

}  // namespace

template <class T>
cudaError_t gemm(const Gemm<T>& product, cudaStream_t stream) {
  if (product.rows <= kFewRows) {
    return launch_gemm<T, FewRows<T>>("gemm_few_rows", product, stream);
  }
  if (product.rows > kWarpgroupRows && has_warpgroup_products()) {
    return warpgroup_gemm(product, stream);
  }
  if (product.rows <= kSomeRows) {
    return launch_gemm<T, SomeRows<T>>("gemm_some_rows", product, stream);
  }
  return launch_gemm<T, ManyRows<T>>("gemm_many_rows", product, stream);
}

template cudaError_t gemm(const Gemm<bf16>&, cudaStream_t);
template cudaError_t gemm(const Gemm<f16>&, cudaStream_t);

}  // namespace gpu
