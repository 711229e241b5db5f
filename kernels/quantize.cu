#include "quantize.h"

#include "device/quantize.h"

namespace gpu {
namespace {

constexpr int kThreads = 256;

// One block a row, which stays in the cache between its passes.
template <class T>
__global__ void __launch_bounds__(kThreads)
    quantize_kernel(QuantizedRows out, const T* __restrict__ in, int64_t in_stride, int cols) {
  GPU_SHARED(QuantizeScratch, scratch, 1);
  quantize_row<kThreads>(out, blockIdx.x, in + blockIdx.x * in_stride, cols, *scratch);
}

}  // namespace

template <class T>
cudaError_t quantize_rows(const QuantizedRows& out, Rows<const T> in, int64_t rows, int cols, cudaStream_t stream) {
  const double elements = static_cast<double>(rows) * cols;
  next_launch_costs({elements * sizeof(T), elements});
  return launch<quantize_kernel<T>>("quantize_rows", dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0, stream, out, in.data,
                                    in.stride, cols);
}

template cudaError_t quantize_rows(const QuantizedRows&, Rows<const bf16>, int64_t, int, cudaStream_t);
template cudaError_t quantize_rows(const QuantizedRows&, Rows<const f16>, int64_t, int, cudaStream_t);

}  // namespace gpu
