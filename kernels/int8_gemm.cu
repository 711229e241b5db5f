#include "device/reduce.h"
#include "device/vector.h"
#include "int8_product.h"

namespace gpu {
namespace {

// A block's tile of the result and the columns it takes at a time; a warp's part of the tile.
constexpr int kTileRows = 64;
constexpr int kTileColumns = 128;
constexpr int kDepth = 64;  // bytes: four 16-byte chunks a row
constexpr int kWarpRows = 32;
constexpr int kWarpColumns = 32;
constexpr int kWarpsDown = kTileRows / kWarpRows;
constexpr int kWarpsAcross = kTileColumns / kWarpColumns;
constexpr int kThreads = kWarp * kWarpsDown * kWarpsAcross;
constexpr int kStages = 3;
constexpr int kBytes = 16;
constexpr int kChunks = kDepth / kBytes;
constexpr int kStageBytes = (kTileRows + kTileColumns) * kDepth;

// Where a 16-byte chunk of a row lies: eight rows' chunks of one column in different banks.
GPU_DEVICE int swizzled(int row, int chunk) { return row * kDepth + (chunk ^ (row / 2 % kChunks)) * kBytes; }

struct Tile {
  int8_t* memory;
  const QuantizedRows& in;
  const Int8Weights& weights;
  int64_t rows;
  int64_t first_row;
  int first_column;

  GPU_DEVICE int8_t* inputs(int stage) const { return memory + stage * kStageBytes; }
  GPU_DEVICE int8_t* weight_rows(int stage) const { return inputs(stage) + kTileRows * kDepth; }

  // Bytes [first, first + kDepth) of every row of the tile, zeros outside of the matrices.
  GPU_DEVICE void load(int stage, int first) const {
    for (int i = static_cast<int>(threadIdx.x); i < (kTileRows + kTileColumns) * kChunks; i += kThreads) {
      const int r = i / kChunks;
      const int chunk = i % kChunks;
      const int c = first + chunk * kBytes;
      if (r < kTileRows) {
        const bool there = first_row + r < rows && c < weights.in_features;
        const int8_t* from = in.values.data + (there ? (first_row + r) * in.values.stride + c : 0);
        cp_async_16(inputs(stage) + swizzled(r, chunk), from, there ? kBytes : 0);
      } else {
        const int column = first_column + r - kTileRows;
        const bool there = column < weights.out_features && c < weights.in_features;
        const int8_t* from = weights.values + (there ? static_cast<int64_t>(column) * weights.in_features + c : 0);
        cp_async_16(weight_rows(stage) + swizzled(r - kTileRows, chunk), from, there ? kBytes : 0);
      }
    }
  }
};

GPU_DEVICE int lane() { return static_cast<int>(threadIdx.x) % kWarp; }

// sums += inputs weights^T for one stage; fragments of 16 x 32 and 32 x 8 bytes. A 16-bit element of ldmatrix is a pair
// of bytes here.
GPU_DEVICE void multiply(const Tile& tile, int stage, int down, int across, int (&sums)[2][4][4]) {
#pragma unroll
  for (int k = 0; k < kDepth / 32; k++) {
    uint32_t a[2][4];
#pragma unroll
    for (int m = 0; m < 2; m++) {
      // Matrices: rows 0-7 and 8-15 of bytes 0-15, then of bytes 16-31.
      const int row = down * kWarpRows + 16 * m + lane() % 16;
      ldmatrix_x4(a[m], tile.inputs(stage) + swizzled(row, 2 * k + lane() / 16));
    }
#pragma unroll
    for (int n = 0; n < 2; n++) {
      // Matrices: columns 0-7 of bytes 0-15 and 16-31, then columns 8-15.
      const int column = across * kWarpColumns + 16 * n + lane() / 16 * 8 + lane() % 8;
      uint32_t b[4];
      ldmatrix_x4(b, tile.weight_rows(stage) + swizzled(column, 2 * k + lane() / 8 % 2));
      const uint32_t low[2] = {b[0], b[1]};
      const uint32_t high[2] = {b[2], b[3]};
#pragma unroll
      for (int m = 0; m < 2; m++) {
        mma_m16n8k32_s8(sums[m][2 * n], a[m], low);
        mma_m16n8k32_s8(sums[m][2 * n + 1], a[m], high);
      }
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads, 2)
    int8_gemm_kernel(T* __restrict__ out, int64_t out_stride, QuantizedRows in, Int8Weights weights,
                     const T* __restrict__ bias, int64_t rows) {
  GPU_DYNAMIC_SHARED(int8_t, memory);
  const Tile tile{memory, in, weights, rows, static_cast<int64_t>(blockIdx.y) * kTileRows,
                  static_cast<int>(blockIdx.x) * kTileColumns};
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int down = warp / kWarpsAcross;
  const int across = warp % kWarpsAcross;
  int sums[2][4][4] = {};

  const int steps = (weights.in_features + kDepth - 1) / kDepth;
  for (int stage = 0; stage < kStages - 1; stage++) {
    if (stage < steps) {
      tile.load(stage, stage * kDepth);
    }
    cp_async_commit();
  }
  for (int step = 0; step < steps; step++) {
    cp_async_wait<kStages - 2>();
    __syncthreads();  // the stage has come for all, and the one before it is free
    const int next = step + kStages - 1;
    if (next < steps) {
      tile.load(next % kStages, next * kDepth);
    }
    cp_async_commit();
    multiply(tile, step % kStages, down, across, sums);
  }
  cp_async_wait<0>();

#pragma unroll
  for (int m = 0; m < 2; m++) {
#pragma unroll
    for (int n = 0; n < 4; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int64_t row = tile.first_row + down * kWarpRows + 16 * m + lane() / 4 + i / 2 * 8;
        const int column = tile.first_column + across * kWarpColumns + 8 * n + lane() % 4 * 2 + i % 2;
        if (row < rows && column < weights.out_features) {
          out[row * out_stride + column] = from_float<T>(int8_result(in, weights, bias, row, column, sums[m][n][i]));
        }
      }
    }
  }
}

}  // namespace

template <class T>
cudaError_t int8_gemm(Rows<T> out, const QuantizedRows& in, const Int8Weights& weights, const T* bias, int64_t rows,
                      cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((weights.out_features + kTileColumns - 1) / kTileColumns),
                  static_cast<unsigned>((rows + kTileRows - 1) / kTileRows));
  return launch("int8_gemm", int8_gemm_kernel<T>, grid, dim3(kThreads), kStages * kStageBytes, stream, out.data,
                out.stride, in, weights, bias, rows);
}

template cudaError_t int8_gemm(Rows<bf16>, const QuantizedRows&, const Int8Weights&, const bf16*, int64_t, cudaStream_t);
template cudaError_t int8_gemm(Rows<f16>, const QuantizedRows&, const Int8Weights&, const f16*, int64_t, cudaStream_t);

}  // namespace gpu
