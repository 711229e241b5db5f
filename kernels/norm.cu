#include "norm.h"

#include "device/number.h"
#include "device/pixel_shuffle.h"
#include "device/quantize.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;  // elements in 16 bytes

// Where a row's elements come from, in chunks.
template <class T>
struct PlainRows {
  const T* data;
  int64_t stride;
  GPU_DEVICE const T* at(int64_t row, int c) const { return data + row * stride + c; }
};
template <class T>
struct ShuffledRows {
  const T* data;
  int64_t stride;
  PixelShuffle shuffle;
  int patch_cols;
  GPU_DEVICE const T* at(int64_t row, int c) const {
    return data + patch_of(shuffle, row, c / patch_cols) * stride + c % patch_cols;
  }
};

template <class T>
struct NormOutput {
  Rows<T> rows;
  const T* weight;
  const T* bias;
  int cols;
  float eps;
  GPU_DEVICE T* row() const { return rows.data + blockIdx.x * rows.stride; }  // of the block
};

// One block a row. A row is read twice, the second time from the cache: at most 25 KB, it is still there.
// `cols` decides which thread adds what, so a row's sum never depends on the other rows.
template <class T, bool Centered, class Input>
GPU_DEVICE void normalize(T* __restrict__ target, const NormOutput<T>& out, const Input& in, float* partial) {
  const int64_t row = blockIdx.x;
  const int cols = out.cols;
  const int first = static_cast<int>(threadIdx.x) * kChunk;

  float mean = 0;
  if constexpr (Centered) {
    float sum = 0;
    for (int c = first; c < cols; c += kThreads * kChunk) {
      const auto x = load<Vector<T, kChunk>>(in.at(row, c));
#pragma unroll
      for (int i = 0; i < kChunk; i++) {
        sum += to_float(x.at[i]);
      }
    }
    mean = block_reduce<kThreads, Sum>(sum, partial + kThreads / kWarp) / static_cast<float>(cols);
  }

  float squares = 0;
  for (int c = first; c < cols; c += kThreads * kChunk) {
    const auto x = load<Vector<T, kChunk>>(in.at(row, c));
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const float d = to_float(x.at[i]) - mean;
      squares += d * d;
    }
  }
  const float scale = rsqrtf(block_reduce<kThreads, Sum>(squares, partial) / static_cast<float>(cols) + out.eps);

  for (int c = first; c < cols; c += kThreads * kChunk) {
    auto x = load<Vector<T, kChunk>>(in.at(row, c));
    const auto w = load_constant<Vector<T, kChunk>>(out.weight + c);
    Vector<T, kChunk> b{};
    if constexpr (Centered) {
      b = load_constant<Vector<T, kChunk>>(out.bias + c);
    }
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const float normal = to_float(from_float<T>((to_float(x.at[i]) - mean) * scale));
      x.at[i] = from_float<T>(normal * to_float(w.at[i]) + (Centered ? to_float(b.at[i]) : 0.0f));
    }
    store(target + c, x);
  }
}

template <class T, bool Centered, class Input>
__global__ void __launch_bounds__(kThreads) norm_kernel(NormOutput<T> out, Input in) {
  GPU_SHARED(float, partial, 2 * kThreads / kWarp);
  normalize<T, Centered>(out.row(), out, in, partial);
}

template <class T, bool Centered>
__global__ void __launch_bounds__(kThreads, 4)
    norm_and_quantize_kernel(NormOutput<T> out, PlainRows<T> in, QuantizedRows quantized) {
  GPU_SHARED(float, partial, 2 * kThreads / kWarp);
  GPU_SHARED(QuantizeScratch, scratch, 1);
  normalize<T, Centered>(out.row(), out, in, partial);
  quantize_row<kThreads>(quantized, blockIdx.x, out.row(), out.cols, *scratch);
}

// The rows themselves, and the weights.
template <class T>
Cost cost_of(const NormOutput<T>& out, int64_t rows) {
  const double bytes = static_cast<double>(rows) * out.cols * sizeof(T);
  return {bytes + (out.bias != nullptr ? 2.0 : 1.0) * out.cols * sizeof(T), bytes};
}

template <class T, bool Centered>
cudaError_t launch_norm(const NormOutput<T>& out, Rows<const T> in, int64_t rows, const QuantizedRows* quantized,
                        cudaStream_t stream) {
  const PlainRows<T> from{in.data, in.stride};
  const dim3 grid(static_cast<unsigned>(rows));
  Cost cost = cost_of(out, rows);
  if (quantized != nullptr) {
    cost.written += static_cast<double>(rows) * out.cols;
    next_launch_costs(cost);
    return launch<norm_and_quantize_kernel<T, Centered>>(Centered ? "layer_norm_and_quantize" : "rms_norm_and_quantize", grid,
                                                         dim3(kThreads), 0, stream, out, from, *quantized);
  }
  next_launch_costs(cost);
  return launch<norm_kernel<T, Centered, PlainRows<T>>>(Centered ? "layer_norm" : "rms_norm", grid, dim3(kThreads), 0, stream, out,
                                                        from);
}

}  // namespace

template <class T>
cudaError_t rms_norm(Rows<T> out, Rows<const T> in, const T* weight, int64_t rows, int cols, float eps, cudaStream_t stream,
                     const QuantizedRows* quantized) {
  return launch_norm<T, false>({out, weight, nullptr, cols, eps}, in, rows, quantized, stream);
}

template <class T>
cudaError_t layer_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t rows, int cols, float eps,
                       cudaStream_t stream, const QuantizedRows* quantized) {
  return launch_norm<T, true>({out, weight, bias, cols, eps}, in, rows, quantized, stream);
}

template <class T>
cudaError_t pixel_shuffle_norm(Rows<T> out, Rows<const T> in, const T* weight, const T* bias, int64_t pictures,
                               const PixelShuffle& shuffle, int cols, float eps, cudaStream_t stream) {
  const int64_t side = shuffle.grid / shuffle.factor;
  const int64_t rows = pictures * side * side;
  const NormOutput<T> to{out, weight, bias, shuffle.factor * shuffle.factor * cols, eps};
  next_launch_costs(cost_of(to, rows));
  return launch<norm_kernel<T, true, ShuffledRows<T>>>("pixel_shuffle_norm", dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0,
                                                       stream, to, ShuffledRows<T>{in.data, in.stride, shuffle, cols});
}

#define GPU_INSTANTIATE(T)                                                                                                      \
  template cudaError_t rms_norm(Rows<T>, Rows<const T>, const T*, int64_t, int, float, cudaStream_t, const QuantizedRows*);     \
  template cudaError_t layer_norm(Rows<T>, Rows<const T>, const T*, const T*, int64_t, int, float, cudaStream_t,                \
                                  const QuantizedRows*);                                                                        \
  template cudaError_t pixel_shuffle_norm(Rows<T>, Rows<const T>, const T*, const T*, int64_t, const PixelShuffle&, int, float, \
                                          cudaStream_t);
GPU_INSTANTIATE(bf16)
GPU_INSTANTIATE(f16)

}  // namespace gpu
