#include "adapters.h"

#include "device/number.h"
#include "device/reduce.h"
#include "device/vector.h"

namespace gpu {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
// Of a block's tile: little enough that the weights of a single row are read by several blocks, enough that a prompt's rows share them.
constexpr int kTileRows = 8;
constexpr int kTileRanks = 4;
constexpr int kTile = kTileRows * kTileRanks;
constexpr int kTogether = 8;  // numbers in 16 bytes

// The sums of a thread's columns: each 256th eight of them, in order.
template <class T>
GPU_DEVICE void add_columns(float (&sums)[kTileRows][kTileRanks], const T* in, int64_t stride, int rows, const T* down,
                            int in_features) {
  for (int k = static_cast<int>(threadIdx.x) * kTogether; k < in_features; k += kThreads * kTogether) {
    Vector<T, kTogether> a[kTileRanks];
#pragma unroll
    for (int r = 0; r < kTileRanks; r++) {
      a[r] = load_constant<Vector<T, kTogether>>(down + static_cast<int64_t>(r) * in_features + k);
    }
#pragma unroll
    for (int row = 0; row < kTileRows; row++) {
      if (row < rows) {
        const auto x = load_constant<Vector<T, kTogether>>(in + row * stride + k);
#pragma unroll
        for (int r = 0; r < kTileRanks; r++) {
#pragma unroll
          for (int i = 0; i < kTogether; i++) {
            sums[row][r] = __fmaf_rn(to_float(x.at[i]), to_float(a[r].at[i]), sums[row][r]);
          }
        }
      }
    }
  }
}

// A block has some rows of an entry and some of its ranks.
template <class T>
__global__ void __launch_bounds__(kThreads) low_rank_kernel(LowRank<T> work) {
  GPU_SHARED(float, of_warps, kWarps* kTile);
  const AddedRows<T> entry = work.added.entries[blockIdx.z];
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kTileRows;
  const int rank = static_cast<int>(blockIdx.y) * kTileRanks;
  const int ranks = entry.pairs * entry.rank;
  const int64_t left = rank < ranks ? entry.rows - first : 0;
  const int rows = static_cast<int>(left < kTileRows ? left : kTileRows);  // below 1: the block has nothing to do
  float sums[kTileRows][kTileRanks] = {};
  if (rows > 0) {
    add_columns(sums, work.in.data + (entry.row + first) * work.in.stride, work.in.stride, rows,
                entry.down + static_cast<int64_t>(rank) * work.in_features, work.in_features);
  }
#pragma unroll
  for (int row = 0; row < kTileRows; row++) {
    if (row < rows) {
#pragma unroll
      for (int r = 0; r < kTileRanks; r++) {
        const float sum = warp_reduce<Sum>(sums[row][r]);
        if (lane() == 0) {
          of_warps[warp() * kTile + row * kTileRanks + r] = sum;
        }
      }
    }
  }
  __syncthreads();
  const int at = static_cast<int>(threadIdx.x);
  if (at < rows * kTileRanks) {
    float sum = 0;
    for (int w = 0; w < kWarps; w++) {
      sum += of_warps[w * kTile + at];
    }
    const int own = rank + at % kTileRanks;
    work.added.u[entry.first + (first + at / kTileRanks) * ranks + own] = sum * (entry.scales[own] * entry.weight);
  }
}

unsigned parts(int64_t all, int each) { return static_cast<unsigned>((all + each - 1) / each); }

// As if every entry were as large as the largest.
template <class T>
Cost cost_of(const LowRank<T>& work) {
  const auto rows = static_cast<double>(work.most_rows);
  const double ranks = work.most_ranks;
  Cost cost;
  cost.read = work.added.count * ((rows + ranks) * work.in_features * sizeof(T) + ranks * sizeof(float));
  cost.written = work.added.count * rows * ranks * sizeof(float);
  return cost;
}

}  // namespace

template <class T>
cudaError_t low_rank(const LowRank<T>& work, cudaStream_t stream) {
  next_launch_costs(cost_of(work));
  const dim3 grid(parts(work.most_rows, kTileRows), parts(work.most_ranks, kTileRanks), static_cast<unsigned>(work.added.count));
  return launch<low_rank_kernel<T>>("low_rank", grid, dim3(kThreads), 0, stream, work);
}

template cudaError_t low_rank(const LowRank<bf16>&, cudaStream_t);
template cudaError_t low_rank(const LowRank<f16>&, cudaStream_t);

}  // namespace gpu
