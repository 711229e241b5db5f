#include "activation.h"

#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;  // elements in 16 bytes

template <class T>
using Chunk = Vector<T, kChunk>;

// Eight columns of one row a thread: blockIdx.y is the row.
GPU_DEVICE int first_column() { return static_cast<int>(blockIdx.x * kThreads + threadIdx.x) * kChunk; }

// The part of a vector over the columns, or `otherwise` where there is none.
template <class T>
GPU_DEVICE Chunk<T> part_of(const T* vector, int column, float otherwise) {
  if (vector != nullptr) {
    return load_constant<Chunk<T>>(vector + column);
  }
  Chunk<T> part;
#pragma unroll
  for (int i = 0; i < kChunk; i++) {
    part.at[i] = from_float<T>(otherwise);
  }
  return part;
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    gelu_kernel(T* out, int64_t out_stride, const T* in, int64_t in_stride, const T* __restrict__ bias, int cols) {
  const int c = first_column();
  if (c >= cols) {
    return;
  }
  auto x = load<Chunk<T>>(in + blockIdx.y * in_stride + c);
  const Chunk<T> b = part_of(bias, c, 0.0f);
#pragma unroll
  for (int i = 0; i < kChunk; i++) {
    const float v = to_float(x.at[i]) + to_float(b.at[i]);
    x.at[i] = from_float<T>(0.5f * v * (1.0f + erff(v * 0.70710678f)));
  }
  store(out + blockIdx.y * out_stride + c, x);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    swiglu_kernel(T* __restrict__ out, int64_t out_stride, const T* __restrict__ in, int64_t in_stride, int cols) {
  const int c = first_column();
  if (c >= cols) {
    return;
  }
  auto gate = load<Chunk<T>>(in + blockIdx.y * in_stride + c);
  const auto up = load<Chunk<T>>(in + blockIdx.y * in_stride + cols + c);
#pragma unroll
  for (int i = 0; i < kChunk; i++) {
    const float x = to_float(gate.at[i]);
    const float silu = to_float(from_float<T>(__fdividef(x, 1.0f + __expf(-x))));
    gate.at[i] = from_float<T>(silu * to_float(up.at[i]));
  }
  store(out + blockIdx.y * out_stride + c, gate);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    add_residual_kernel(T* out, int64_t out_stride, const T* in, int64_t in_stride, const T* __restrict__ bias,
                        const T* __restrict__ scale, const T* residual, int64_t residual_stride, int cols) {
  const int c = first_column();
  if (c >= cols) {
    return;
  }
  const auto x = load<Chunk<T>>(in + blockIdx.y * in_stride + c);
  auto r = load<Chunk<T>>(residual + blockIdx.y * residual_stride + c);
  const Chunk<T> b = part_of(bias, c, 0.0f);
  const Chunk<T> s = part_of(scale, c, 1.0f);
#pragma unroll
  for (int i = 0; i < kChunk; i++) {
    r.at[i] = from_float<T>(__fmaf_rn(to_float(s.at[i]), to_float(x.at[i]) + to_float(b.at[i]), to_float(r.at[i])));
  }
  store(out + blockIdx.y * out_stride + c, r);
}

dim3 grid_of(int64_t rows, int cols) {
  constexpr int columns = kThreads * kChunk;
  return dim3(static_cast<unsigned>((cols + columns - 1) / columns), static_cast<unsigned>(rows));
}

}  // namespace

template <class T>
cudaError_t gelu(Rows<T> out, Rows<const T> in, const T* bias, int64_t rows, int cols, cudaStream_t stream) {
  return launch("gelu", gelu_kernel<T>, grid_of(rows, cols), dim3(kThreads), 0, stream, out.data, out.stride, in.data,
                in.stride, bias, cols);
}

template <class T>
cudaError_t swiglu(Rows<T> out, Rows<const T> gate_up, int64_t rows, int cols, cudaStream_t stream) {
  return launch("swiglu", swiglu_kernel<T>, grid_of(rows, cols), dim3(kThreads), 0, stream, out.data, out.stride,
                gate_up.data, gate_up.stride, cols);
}

template <class T>
cudaError_t add_residual(Rows<T> out, Rows<const T> in, const T* bias, const T* scale, Rows<const T> residual,
                         int64_t rows, int cols, cudaStream_t stream) {
  return launch("add_residual", add_residual_kernel<T>, grid_of(rows, cols), dim3(kThreads), 0, stream, out.data,
                out.stride, in.data, in.stride, bias, scale, residual.data, residual.stride, cols);
}

#define IVL_INSTANTIATE(T)                                                                                \
  template cudaError_t gelu(Rows<T>, Rows<const T>, const T*, int64_t, int, cudaStream_t);                \
  template cudaError_t swiglu(Rows<T>, Rows<const T>, int64_t, int, cudaStream_t);                        \
  template cudaError_t add_residual(Rows<T>, Rows<const T>, const T*, const T*, Rows<const T>, int64_t, int, \
                                    cudaStream_t);
IVL_INSTANTIATE(bf16)
IVL_INSTANTIATE(f16)

}  // namespace gpu
