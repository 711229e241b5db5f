#include "device/reduce.h"
#include "device/vector.h"
#include "int8_product.h"

namespace gpu {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarp;
constexpr int kBytes = 16;        // of a weight row that a lane takes at once
constexpr int kWeightRows = 4;    // of a warp: each input it loads serves all of them

using Sixteen = Vector<int, kBytes / 4>;

// Each warp takes kWeightRows rows of the weights; integers add up exactly, in whatever order.
template <class T, int Count>
__global__ void __launch_bounds__(kThreads)
    int8_gemv_kernel(T* __restrict__ out, int64_t out_stride, QuantizedRows in, Int8Weights weights,
                     const T* __restrict__ bias) {
  const int warp = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int first = warp * kWeightRows;
  int sum[kWeightRows][Count] = {};
#pragma unroll 2
  for (int c = lane * kBytes; c < weights.in_features; c += kWarp * kBytes) {
    Sixteen w[kWeightRows];
#pragma unroll
    for (int i = 0; i < kWeightRows; i++) {
      w[i] = {};
      if (first + i < weights.out_features) {
        w[i] = load_constant<Sixteen>(weights.values + static_cast<int64_t>(first + i) * weights.in_features + c);
      }
    }
#pragma unroll
    for (int r = 0; r < Count; r++) {
      const auto x = load_constant<Sixteen>(in.values.data + r * in.values.stride + c);
#pragma unroll
      for (int i = 0; i < kWeightRows; i++) {
#pragma unroll
        for (int e = 0; e < kBytes / 4; e++) {
          sum[i][r] = __dp4a(x.at[e], w[i].at[e], sum[i][r]);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kWeightRows; i++) {
#pragma unroll
    for (int r = 0; r < Count; r++) {
#pragma unroll
      for (int step = kWarp / 2; step > 0; step /= 2) {
        sum[i][r] += __shfl_xor_sync(kAllLanes, sum[i][r], step);
      }
      if (lane == i * Count + r && first + i < weights.out_features) {
        out[r * out_stride + first + i] = from_float<T>(int8_result(in, weights, bias, r, first + i, sum[i][r]));
      }
    }
  }
}

template <class T, int Count>
cudaError_t launch_gemv(Rows<T> out, const QuantizedRows& in, const Int8Weights& weights, const T* bias,
                        cudaStream_t stream) {
  constexpr int own = kWarps * kWeightRows;
  return launch("int8_gemv", int8_gemv_kernel<T, Count>,
                dim3(static_cast<unsigned>((weights.out_features + own - 1) / own)), dim3(kThreads), 0, stream, out.data,
                out.stride, in, weights, bias);
}

}  // namespace

template <class T>
cudaError_t int8_gemv(Rows<T> out, const QuantizedRows& in, const Int8Weights& weights, const T* bias, int rows,
                      cudaStream_t stream) {
  switch (rows) {
    case 1: return launch_gemv<T, 1>(out, in, weights, bias, stream);
    case 2: return launch_gemv<T, 2>(out, in, weights, bias, stream);
    case 3: return launch_gemv<T, 3>(out, in, weights, bias, stream);
    case 4: return launch_gemv<T, 4>(out, in, weights, bias, stream);
    case 5: return launch_gemv<T, 5>(out, in, weights, bias, stream);
    case 6: return launch_gemv<T, 6>(out, in, weights, bias, stream);
    case 7: return launch_gemv<T, 7>(out, in, weights, bias, stream);
    case 8: return launch_gemv<T, 8>(out, in, weights, bias, stream);
    default: return cudaErrorInvalidValue;
  }
}

template cudaError_t int8_gemv(Rows<bf16>, const QuantizedRows&, const Int8Weights&, const bf16*, int, cudaStream_t);
template cudaError_t int8_gemv(Rows<f16>, const QuantizedRows&, const Int8Weights&, const f16*, int, cudaStream_t);

}  // namespace gpu
