#include "int8.h"

#include "device/number.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;  // elements in 16 bytes
constexpr int kWarps = kThreads / kWarp;

// How many of the block's threads before this one have how many in sum; `total` is that of all. Threads in order of
// their number, so a list made with it is in order. Every thread of the block calls it.
GPU_DEVICE int exclusive_sum(int count, int* scratch, int& total) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  int inclusive = count;
#pragma unroll
  for (int step = 1; step < kWarp; step *= 2) {
    const int other = __shfl_up_sync(kAllLanes, inclusive, step);
    inclusive += lane >= step ? other : 0;
  }
  if (lane == kWarp - 1) {
    scratch[warp] = inclusive;
  }
  __syncthreads();
  int before = 0;
  total = 0;
#pragma unroll
  for (int w = 0; w < kWarps; w++) {
    before += w < warp ? scratch[w] : 0;
    total += scratch[w];
  }
  __syncthreads();
  return before + inclusive - count;
}

// NaN is one, so that it reaches the result.
GPU_DEVICE bool is_outlier(float x) { return !(fabsf(x) < kOutlier); }

// One block a row, three passes over it: outliers, the largest of the rest, values. The row stays in the cache.
template <class T>
__global__ void __launch_bounds__(kThreads)
    quantize_kernel(QuantizedRows out, const T* __restrict__ in, int64_t in_stride, int cols) {
  GPU_SHARED(int, counts, kWarps);
  GPU_SHARED(float, largest_of, kWarps);
  const T* row = in + blockIdx.x * in_stride;
  Outlier* list = out.outliers + static_cast<int64_t>(blockIdx.x) * kMostOutliers;
  int8_t* target = out.values.data + blockIdx.x * out.values.stride;
  const int sweeps = (cols + kThreads * kChunk - 1) / (kThreads * kChunk);

  // Sweep by sweep, so that the list is in the order of the columns.
  int listed = 0;
  int last_listed = -1;  // columns up to it are apart if they are outliers
  float largest = 0;
  for (int sweep = 0; sweep < sweeps; sweep++) {
    const int c = (sweep * kThreads + static_cast<int>(threadIdx.x)) * kChunk;
    Vector<T, kChunk> x{};
    int own = 0;
    if (c < cols) {
      x = load<Vector<T, kChunk>>(row + c);
#pragma unroll
      for (int i = 0; i < kChunk; i++) {
        own += is_outlier(to_float(x.at[i])) ? 1 : 0;
      }
    }
    int all = 0;
    int place = listed + exclusive_sum(own, counts, all);
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const float value = to_float(x.at[i]);
      if (is_outlier(value) && place < kMostOutliers) {
        list[place] = {c + i, value};
        place++;
      } else {
        largest = fmaxf(largest, fabsf(value));
      }
    }
    listed += all;
  }
  const int count = listed < kMostOutliers ? listed : kMostOutliers;
  largest = block_reduce<kThreads, Max>(largest, largest_of);
  __syncthreads();
  last_listed = count == kMostOutliers ? list[count - 1].column : cols;
  const float scale = largest / 127.0f;
  const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
  if (threadIdx.x == 0) {
    out.scales[blockIdx.x] = scale;
    out.outlier_counts[blockIdx.x] = count;
  }
  for (int c = static_cast<int>(threadIdx.x) * kChunk; c < cols; c += kThreads * kChunk) {
    const auto x = load<Vector<T, kChunk>>(row + c);
    Vector<int8_t, kChunk> q;
#pragma unroll
    for (int i = 0; i < kChunk; i++) {
      const float value = to_float(x.at[i]);
      const bool apart = is_outlier(value) && c + i <= last_listed;
      q.at[i] = apart ? static_cast<int8_t>(0) : static_cast<int8_t>(__float2int_rn(value * inverse));
    }
    store(target + c, q);
  }
}

}  // namespace

template <class T>
cudaError_t quantize_rows(const QuantizedRows& out, Rows<const T> in, int64_t rows, int cols, cudaStream_t stream) {
  const double elements = static_cast<double>(rows) * cols;
  next_launch_costs({elements * sizeof(T), elements});
  return launch("quantize_rows", quantize_kernel<T>, dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0, stream, out,
                in.data, in.stride, cols);
}

template cudaError_t quantize_rows(const QuantizedRows&, Rows<const bf16>, int64_t, int, cudaStream_t);
template cudaError_t quantize_rows(const QuantizedRows&, Rows<const f16>, int64_t, int, cudaStream_t);

}  // namespace gpu
