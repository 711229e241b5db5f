#include "rows.h"

#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;
constexpr int kChunk = 8;  // elements in 16 bytes

template <class T>
GPU_DEVICE void copy_row(T* to, const T* from, int cols) {
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < cols; c += kThreads * kChunk) {
    store(to + c, load<Vector<T, kChunk>>(from + c));
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_kernel(T* __restrict__ out, int64_t stride, const T* const* __restrict__ from, int cols) {
  copy_row(out + blockIdx.x * stride, from[blockIdx.x], cols);
}

// A block for each patch: blockIdx.x its place in the grid, blockIdx.y the picture.
template <class T>
__global__ void __launch_bounds__(kThreads)
    pixel_shuffle_kernel(T* __restrict__ out, int64_t out_stride, const T* __restrict__ in, int64_t in_stride, int grid,
                         int factor, int cols, bool swap_back) {
  const int h = static_cast<int>(blockIdx.x) / grid;
  const int w = static_cast<int>(blockIdx.x) % grid;
  const int side = grid / factor;
  const int64_t row = swap_back ? h / factor * side + w / factor : w / factor * side + h / factor;
  const int part = h % factor * factor + w % factor;
  const int64_t picture = blockIdx.y;
  copy_row(out + (picture * side * side + row) * out_stride + part * cols,
           in + (picture * (1 + grid * grid) + 1 + blockIdx.x) * in_stride, cols);
}

}  // namespace

template <class T>
cudaError_t gather_rows(Rows<T> out, const T* const* from, int64_t rows, int cols, cudaStream_t stream) {
  return launch("gather_rows", gather_kernel<T>, dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0, stream, out.data,
                out.stride, from, cols);
}

template <class T>
cudaError_t pixel_shuffle(Rows<T> out, Rows<const T> in, int64_t pictures, int grid, int factor, int cols,
                          bool swap_back, cudaStream_t stream) {
  return launch("pixel_shuffle", pixel_shuffle_kernel<T>,
                dim3(static_cast<unsigned>(grid * grid), static_cast<unsigned>(pictures)), dim3(kThreads), 0, stream,
                out.data, out.stride, in.data, in.stride, grid, factor, cols, swap_back);
}

template cudaError_t gather_rows(Rows<bf16>, const bf16* const*, int64_t, int, cudaStream_t);
template cudaError_t gather_rows(Rows<f16>, const f16* const*, int64_t, int, cudaStream_t);
template cudaError_t pixel_shuffle(Rows<bf16>, Rows<const bf16>, int64_t, int, int, int, bool, cudaStream_t);
template cudaError_t pixel_shuffle(Rows<f16>, Rows<const f16>, int64_t, int, int, int, bool, cudaStream_t);

}  // namespace gpu
