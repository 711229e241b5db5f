#include "norm.h"

#include "device/number.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;  // elements in 16 bytes

// One block a row. A row is read twice, the second time from the cache: at most 25 KB, it is still there.
// `cols` decides which thread adds what, so a row's sum never depends on the other rows.
template <class T, bool Centered>
__global__ void __launch_bounds__(kThreads)
    norm_kernel(T* __restrict__ out, int64_t out_stride, const T* in, int64_t in_stride, const T* __restrict__ weight,
                const T* __restrict__ bias, int cols, float eps) {
  GPU_SHARED(float, partial, 2 * kThreads / kWarp);
  const T* row = in + blockIdx.x * in_stride;
  T* target = out + blockIdx.x * out_stride;
  const int first = static_cast<int>(threadIdx.x) * kChunk;

  float mean = 0;
  if constexpr (Centered) {
    float sum = 0;
    for (int c = first; c < cols; c += kThreads * kChunk) {
      const auto x = load<Vector<T, kChunk>>(row + c);
#pragma unroll
      for (int i = 0; i < kChunk; i++) {
        sum += to_float(x.at[i]);
      }
    }
    mean = block_reduce<kThreads, Sum>(sum, partial + kThreads / kWarp) / static_cast<float>(cols);
  }

  float squares = 0;
  for (int c = first; c < cols; c += kThreads * kChunk) {
    const auto x = load<Vector<T, kChunk>>(row + c);
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const float d = to_float(x.at[i]) - mean;
      squares += d * d;
    }
  }
  const float scale = rsqrtf(block_reduce<kThreads, Sum>(squares, partial) / static_cast<float>(cols) + eps);

  for (int c = first; c < cols; c += kThreads * kChunk) {
    auto x = load<Vector<T, kChunk>>(row + c);
    const auto w = load_constant<Vector<T, kChunk>>(weight + c);
    Vector<T, kChunk> b{};
    if constexpr (Centered) {
      b = load_constant<Vector<T, kChunk>>(bias + c);
    }
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const float normal = to_float(from_float<T>((to_float(x.at[i]) - mean) * scale));
      x.at[i] = from_float<T>(normal * to_float(w.at[i]) + (Centered ? to_float(b.at[i]) : 0.0f));
    }
    store(target + c, x);
  }
}

template <class T, bool Centered>
cudaError_t launch_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t rows, int cols,
                        float eps, cudaStream_t stream) {
  const double bytes = static_cast<double>(rows) * cols * sizeof(T);
  next_launch_costs({bytes + (Centered ? 2.0 : 1.0) * cols * sizeof(T), bytes});
  return launch(Centered ? "layer_norm" : "rms_norm", norm_kernel<T, Centered>, dim3(static_cast<unsigned>(rows)),
                dim3(kThreads), 0, stream, out.data, out.stride, in.data, in.stride, weight, bias, cols, eps);
}

}  // namespace

template <class T>
cudaError_t rms_norm(Rows<T> out, Rows<const T> in, const T* weight, int64_t rows, int cols, float eps,
                     cudaStream_t stream) {
  return launch_norm<T, false>(out, in, weight, static_cast<const T*>(nullptr), rows, cols, eps, stream);
}

template <class T>
cudaError_t layer_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t rows, int cols, float eps,
                       cudaStream_t stream) {
  return launch_norm<T, true>(out, in, weight, bias, rows, cols, eps, stream);
}

template cudaError_t rms_norm(Rows<bf16>, Rows<const bf16>, const bf16*, int64_t, int, float, cudaStream_t);
template cudaError_t rms_norm(Rows<f16>, Rows<const f16>, const f16*, int64_t, int, float, cudaStream_t);
template cudaError_t layer_norm(Rows<bf16>, Rows<const bf16>, const bf16*, const bf16*, int64_t, int, float,
                                cudaStream_t);
template cudaError_t layer_norm(Rows<f16>, Rows<const f16>, const f16*, const f16*, int64_t, int, float, cudaStream_t);

}  // namespace gpu
