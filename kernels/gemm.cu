#include "gemm.h"

#include "device/finish.h"
#include "warpgroup_gemm.h"

namespace gpu {
namespace {

template <class T>
struct Multiply;
template <>
struct Multiply<bf16> {
  using Sum = float;
  GPU_DEVICE static void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mma_m16n8k16_bf16(d, a, b);
  }
};
template <>
struct Multiply<f16> {
  using Sum = float;
  GPU_DEVICE static void multiply(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    mma_m16n8k16_f16(d, a, b);
  }
};

// Rows and columns of a block's tile, of a warp's, depth and stages. Few rows: many blocks with much in flight; many: tiles that
// use what they load often, for what L2 delivers is the limit.
template <class T>
using FewRows = TileProduct<Multiply<T>, kFewRows, 32, 16, 16, 128, 8>;
template <class T>
using SomeRows = TileProduct<Multiply<T>, 64, 64, 32, 32, 128, 4>;
template <class T>
using ManyRows = TileProduct<Multiply<T>, 128, 128, 64, 64, 64, 4>;

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
