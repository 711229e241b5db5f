#include "gemv.h"

#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarp;
constexpr int kChunk = 8;                   // elements in 16 bytes
constexpr int kStep = kWarp * kChunk;       // what a warp reads of a weight row at once
constexpr int kStaged = 8 * kStep;          // columns of the input in shared memory at a time
constexpr int kWeightRows = 4;              // of a warp: each input element it loads serves all of them

// 1 / sqrt(mean of squares + eps) of each input row, in every thread; the order of norm.cu.
template <class T, int Rows>
GPU_DEVICE void inverse_rms(const Gemv<T>& p, float* scratch, float (&scale)[Rows]) {
#pragma unroll
  for (int r = 0; r < Rows; r++) {
    float squares = 0;
    for (int c = static_cast<int>(threadIdx.x) * kChunk; c < p.in_features; c += kThreads * kChunk) {
      const auto x = load<Vector<T, kChunk>>(p.in.data + r * p.in.stride + c);
#pragma unroll
      for (int i = 0; i < kChunk; i++) {
        squares = __fmaf_rn(to_float(x.at[i]), to_float(x.at[i]), squares);
      }
    }
    const float sum = block_reduce<kThreads, Sum>(squares, scratch + r * kWarps);
    scale[r] = rsqrtf(sum / static_cast<float>(p.in_features) + p.eps);
  }
}

// Columns [first, first + kStaged) of the input, normalized if the product has a norm, into shared memory.
template <class T, int Rows>
GPU_DEVICE void stage(const Gemv<T>& p, T* staged, int first, const float (&scale)[Rows]) {
  const int columns = p.in_features - first < kStaged ? p.in_features - first : kStaged;
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < columns; c += kThreads * kChunk) {
    Vector<T, kChunk> w{};
    if (p.norm != nullptr) {
      w = load_constant<Vector<T, kChunk>>(p.norm + first + c);
    }
#pragma unroll
    for (int r = 0; r < Rows; r++) {
      auto x = load<Vector<T, kChunk>>(p.in.data + r * p.in.stride + first + c);
      if (p.norm != nullptr) {
#pragma unroll
        for (int i = 0; i < kChunk; i++) {
          x.at[i] = from_float<T>(to_float(from_float<T>(to_float(x.at[i]) * scale[r])) * to_float(w.at[i]));
        }
      }
      store(staged + r * kStaged + c, x);
    }
  }
}

// Weight row `i` of the warp, or a negative number behind the last. Rows that belong together (gate and up) lie in one
// warp: the lower half of its rows are gates, the upper half their ups.
template <class T>
GPU_DEVICE int weight_row(const Gemv<T>& p, int warp, int i) {
  const bool paired = p.epilogue == GemvEpilogue::SwiGlu;
  const int own = paired ? kWeightRows / 2 : kWeightRows;
  const int column = warp * own + i % own;
  return column < p.out_features ? column + i / own * p.out_features : -1;
}

template <class T>
GPU_DEVICE void put(const Gemv<T>& p, int row, int column, float value) {
  if (p.out_f32.data != nullptr) {
    p.out_f32.data[row * p.out_f32.stride + column] = value;
    return;
  }
  if (p.epilogue == GemvEpilogue::Residual) {
    value = to_float(from_float<T>(value)) + to_float(p.residual.data[row * p.residual.stride + column]);
  }
  p.out.data[row * p.out.stride + column] = from_float<T>(value);
}

template <class T, int Rows>
GPU_DEVICE void finish(const Gemv<T>& p, int warp, const float (&sum)[kWeightRows][Rows]) {
  constexpr int kPairs = kWeightRows / 2;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
  for (int i = 0; i < kWeightRows; i++) {
    const int row = weight_row(p, warp, i);
#pragma unroll
    for (int r = 0; r < Rows; r++) {
      // One lane writes each result.
      if (lane != i * Rows + r || row < 0) {
        continue;
      }
      const auto with_bias = [&](int j) {
        const int at = weight_row(p, warp, j);
        return sum[j][r] + (p.bias != nullptr ? to_float(p.bias[at]) : 0.0f);
      };
      if (p.epilogue != GemvEpilogue::SwiGlu) {
        put(p, r, row, with_bias(i));
      } else if (i < kPairs) {
        const float gate = to_float(from_float<T>(with_bias(i)));
        const float up = to_float(from_float<T>(with_bias(i + kPairs < kWeightRows ? i + kPairs : i)));
        const float silu = to_float(from_float<T>(__fdividef(gate, 1.0f + __expf(-gate))));
        put(p, r, row, silu * up);
      }
    }
  }
}

// Each warp takes kWeightRows rows of the weights. A lane adds its own columns in order, then the lanes add up.
template <class T, int Rows>
__global__ void __launch_bounds__(kThreads, 4) gemv_kernel(Gemv<T> p) {
  GPU_SHARED(T, staged, Rows * kStaged);
  GPU_SHARED(float, scratch, Rows * kWarps);
  const int warp = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float scale[Rows] = {};
  if (p.norm != nullptr) {
    inverse_rms<T, Rows>(p, scratch, scale);
  }
  float sum[kWeightRows][Rows] = {};
  for (int first = 0; first < p.in_features; first += kStaged) {
    __syncthreads();
    stage<T, Rows>(p, staged, first, scale);
    __syncthreads();
    const int columns = p.in_features - first < kStaged ? p.in_features - first : kStaged;
#pragma unroll 2
    for (int c = lane * kChunk; c < columns; c += kStep) {
      Vector<T, kChunk> w[kWeightRows];
#pragma unroll
      for (int i = 0; i < kWeightRows; i++) {
        const int row = weight_row(p, warp, i);
        w[i] = {};
        if (row >= 0) {
          w[i] = load_constant<Vector<T, kChunk>>(p.weight + static_cast<int64_t>(row) * p.in_features + first + c);
        }
      }
#pragma unroll
      for (int r = 0; r < Rows; r++) {
        const auto x = load<Vector<T, kChunk>>(staged + r * kStaged + c);
#pragma unroll
        for (int i = 0; i < kWeightRows; i++) {
#pragma unroll
          for (int e = 0; e < kChunk; e++) {
            sum[i][r] = __fmaf_rn(to_float(x.at[e]), to_float(w[i].at[e]), sum[i][r]);
          }
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kWeightRows; i++) {
#pragma unroll
    for (int r = 0; r < Rows; r++) {
      sum[i][r] = warp_reduce<Sum>(sum[i][r]);
    }
  }
  finish<T, Rows>(p, warp, sum);
}

template <class T, int Rows>
cudaError_t launch_gemv(const Gemv<T>& product, cudaStream_t stream) {
  const int own = kWarps * (product.epilogue == GemvEpilogue::SwiGlu ? kWeightRows / 2 : kWeightRows);
  return launch("gemv", gemv_kernel<T, Rows>, dim3(static_cast<unsigned>((product.out_features + own - 1) / own)),
                dim3(kThreads), 0, stream, product);
}

}  // namespace

template <class T>
cudaError_t gemv(const Gemv<T>& product, cudaStream_t stream) {
  switch (product.rows) {
    case 1: return launch_gemv<T, 1>(product, stream);
    case 2: return launch_gemv<T, 2>(product, stream);
    case 3: return launch_gemv<T, 3>(product, stream);
    case 4: return launch_gemv<T, 4>(product, stream);
    case 5: return launch_gemv<T, 5>(product, stream);
    case 6: return launch_gemv<T, 6>(product, stream);
    case 7: return launch_gemv<T, 7>(product, stream);
    case 8: return launch_gemv<T, 8>(product, stream);
    default: return cudaErrorInvalidValue;
  }
}

template cudaError_t gemv(const Gemv<bf16>&, cudaStream_t);
template cudaError_t gemv(const Gemv<f16>&, cudaStream_t);

}  // namespace gpu
